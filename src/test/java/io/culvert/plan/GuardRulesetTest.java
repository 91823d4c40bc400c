package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.TextFile;
import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.nft.NamedSet;
import io.culvert.nft.NftText;
import io.culvert.nft.Table;
import io.culvert.plan.GuardInput.Hole;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class GuardRulesetTest {

    @ParameterizedTest
    @MethodSource("examples")
    void reads_as_expected(String name) {
        List<Table> tables = Objects.requireNonNull(GuardExamples.all().get(name));

        TextFile.mustBe(Path.of("src/test/resources/guard/" + name + ".nft"), NftText.of(tables));
    }

    static Stream<String> examples() {
        return GuardExamples.all().keySet().stream();
    }

    @Test
    void the_guard_is_the_same_whenever_it_is_asked_for() {
        assertThat(GuardRuleset.of(GuardExamples.tailscale())).isEqualTo(GuardRuleset.of(GuardExamples.tailscale()));
    }

    @Test
    void thousands_of_holes_become_elements_and_not_rules() {
        List<Hole> many = IntStream.range(0, 10_000)
                .mapToObj(i -> new Hole(
                        Prefix.parse("198.18." + i / 200 + "." + i % 200), Optional.empty(), OptionalInt.of(443)))
                .toList();

        List<NamedSet> sets = new Holes(many).sets();

        assertThat(sets).extracting(NamedSet::name).containsExactly("bypass_port4", "bypass_port6");
        assertThat(sets.getFirst().elements()).as("TCP and UDP each").hasSize(20_000);
        assertThat(sets.getLast().elements()).isEmpty();
    }

    @Test
    void prefixes_that_lie_in_another_are_left_out() {
        List<Prefix> prefixes = Stream.of(
                        "10.1.0.0/16",
                        "10.0.0.0/8",
                        "10.1.2.3",
                        "11.0.0.0/8",
                        "192.0.2.1/24",
                        "192.0.2.0/24",
                        "9.9.9.9")
                .map(Prefix::parse)
                .toList();

        assertThat(Disjoint.of(prefixes))
                .extracting(Prefix::toString)
                .containsExactly("9.9.9.9/32", "10.0.0.0/8", "11.0.0.0/8", "192.0.2.0/24");
    }

    @Test
    void a_hole_or_a_lan_as_wide_as_the_world_is_refused() {
        for (Family family : Family.values()) {
            Prefix world = Prefix.all(family);
            assertThatThrownBy(() -> new Hole(world, Optional.empty(), OptionalInt.empty()))
                    .hasMessageContaining(world.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, 0x1_0000_0000L, 0xca6c, 0x80000, 0x51000400L})
    void a_mark_that_others_use_is_refused(long mark) {
        assertThatThrownBy(() -> Marks.withTunnel(mark)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_chosen_mark_never_equals_the_stubs() {
        assertThat(Marks.withTunnel(0x52000000L)).isEqualTo(new Marks(0x52000000L, 0x51000000L));
        assertThat(Marks.withTunnel(7)).isEqualTo(new Marks(7, 0x52000000L));
    }
}
