package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Box;
import io.culvert.lab.Outcome;
import io.culvert.lab.Shape;
import io.culvert.problem.FollowedHint;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.StringReader;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Follows hints about the machine or the container: something is taken away, 'culvert check' prints the hint, and whoever
 * follows it, with the commands that it holds, has neither the fault nor another one. What an engine would do is done to the
 * lab's box.
 */
final class CheckedHints implements AutoCloseable {

    private final World world = World.of(Shape.USUAL);

    /** What differs from one 'culvert check' to the next: where it runs, and with which settings. */
    record Run(Box box, Map<String, String> settings) {}

    /**
     * A line of the table.
     *
     * @param shared the part of the hint that is said in many places
     * @param follow does what the hint says
     */
    record Row(
            String area,
            String hint,
            String shared,
            Run faulty,
            Consumer<World> fault,
            Consumer<World> follow,
            Run mended) {

        /** The first command of this hint, as the pattern's group has it, is carried out. */
        Row literally(String pattern, String command) {
            return new Row(
                    area,
                    hint,
                    shared,
                    faulty,
                    fault,
                    world -> {
                        Matcher found = Pattern.compile(pattern).matcher(hint);
                        assertThat(found.find()).as(hint).isTrue();
                        world.space().run("sh", "-c", command.formatted(found.group(1)));
                    },
                    mended);
        }

        @Override
        public String toString() {
            return hint;
        }
    }

    static Row row(String area, String hint, String shared, Run faulty, Run mended) {
        return row(area, hint, shared, faulty, _ -> {}, _ -> {}, mended);
    }

    static Row row(
            String area,
            String hint,
            String shared,
            Run faulty,
            Consumer<World> fault,
            Consumer<World> follow,
            Run mended) {
        return new Row(area, hint, shared, faulty, fault, follow, mended);
    }

    static Run in(Box box) {
        return new Run(box, Map.of());
    }

    static Run in(Box box, Map<String, String> settings) {
        return new Run(box, settings);
    }

    static Consumer<World> ip(String... lines) {
        return world -> world.space().ip(lines);
    }

    void follow(Row row) {
        row.fault.accept(world);
        try {
            Check faulty = check(row.faulty);
            assertThat(faulty.hints).as(faulty.said).contains(row.hint);
        } finally {
            row.follow.accept(world);
        }

        Check mended = check(row.mended);
        assertThat(mended.hints).as(mended.said).doesNotContain(row.hint);
        assertThat(mended.success).as(mended.said).isTrue();
    }

    private record Check(boolean success, List<String> hints, String said) {}

    private Check check(Run run) {
        world.in(run.box);
        Outcome outcome = world.run(world.settings(run.settings), "check", "--json");
        assertThat(outcome.out()).as(outcome.err()).startsWith("{");
        JsonObject check = Json.createReader(new StringReader(outcome.out())).readObject();
        List<String> hints = check.getJsonArray("categories").getValuesAs(JsonObject.class).stream()
                .flatMap(category -> category.getJsonArray("checks").getValuesAs(JsonObject.class).stream())
                .map(one -> one.getString("hint"))
                .toList();
        return new Check(check.getBoolean("success"), hints, outcome.out());
    }

    /** For HintCoverageTest. */
    static Stream<FollowedHint> of(Stream<Row> rows) {
        return rows.flatMap(row -> row.shared.equals(row.hint)
                ? Stream.of(new FollowedHint(Set.of(row.area, "problem"), row.hint))
                : Stream.of(
                        new FollowedHint(Set.of(row.area), row.hint), new FollowedHint(Set.of("problem"), row.shared)));
    }

    @Override
    public void close() {
        world.close();
    }
}
