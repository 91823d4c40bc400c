package io.culvert.problem;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.cli.FollowedCommandHintsTest;
import io.culvert.confinement.FollowedConfinementHintsTest;
import io.culvert.exitnode.FollowedHintsTest;
import io.culvert.exitnode.FollowedMachineHintsTest;
import io.culvert.exitnode.FollowedTailscaleHintsTest;
import io.culvert.problem.HintSources.Template;
import io.culvert.tunnel.FollowedTunnelHintsTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

/** No hint in the sources is left out: each is followed by a test, or named here with the reason why it cannot be. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class HintCoverageTest {

    /** Hints that no test follows, below the reason why. */
    private static final Path NOT_FOLLOWED = Path.of("src/test/resources/problem/hints-not-followed.txt");

    @Test
    void every_hint_is_followed_by_a_test_or_named_with_a_reason() throws IOException {
        List<Template> all = HintSources.all();
        Set<Template> followed = new HashSet<>();
        Stream.of(
                        FollowedHintsTest.hints(),
                        FollowedMachineHintsTest.hints(),
                        FollowedTailscaleHintsTest.hints(),
                        FollowedTunnelHintsTest.hints(),
                        FollowedCommandHintsTest.hints(),
                        FollowedConfinementHintsTest.hints())
                .flatMap(hints -> hints)
                .forEach(hint -> followed.addAll(meant(all, hint)));
        List<String> named = Files.readAllLines(NOT_FOLLOWED).stream()
                .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                .toList();

        assertThat(all.stream()
                        .filter(template -> !followed.contains(template))
                        .filter(template -> named.stream().noneMatch(template::isCalled))
                        .map(Template::toString))
                .as("hints that no test follows")
                .isEmpty();
        assertThat(named.stream().filter(name -> all.stream().noneMatch(template -> template.isCalled(name))))
                .as("names of no hint")
                .isEmpty();
    }

    /** The ones that match it with the most of their own words, wherever they are printed. */
    private static List<Template> meant(List<Template> all, FollowedHint hint) {
        List<Template> matching = all.stream()
                .filter(template -> hint.areas().contains(template.area()) && template.matches(hint.text()))
                .toList();
        int most = matching.stream()
                .map(Template::literal)
                .max(Comparator.naturalOrder())
                .orElse(0);
        assertThat(most).as("'%s' is a hint in the sources", hint.text()).isPositive();
        return matching.stream().filter(template -> template.literal() == most).toList();
    }
}
