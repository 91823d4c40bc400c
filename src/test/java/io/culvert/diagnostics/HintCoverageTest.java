// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.cli.FollowedCommandHintsTest;
import io.culvert.diagnostics.HintSources.Template;
import io.culvert.exitnode.FollowedFileHintsTest;
import io.culvert.exitnode.FollowedMachineHintsTest;
import io.culvert.exitnode.FollowedNetworkFileHintsTest;
import io.culvert.exitnode.FollowedSettingsHintsTest;
import io.culvert.exitnode.FollowedTailscaleHintsTest;
import io.culvert.netns.FollowedNamespaceHintsTest;
import io.culvert.tunnel.FollowedTunnelHintsTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Checks that each hint in the sources is followed by a test, or listed with the reason why it cannot be. */
class HintCoverageTest {

    /** The list of hints that no test follows, below the reason. */
    private static final Path NOT_FOLLOWED = Path.of("src/test/resources/diagnostics/hints-not-followed.txt");

    @Test
    void every_hint_is_followed_by_a_test_or_listed_with_a_reason() throws IOException {
        List<Template> all = HintSources.all();
        Set<Template> followed = new HashSet<>();
        Stream.of(
                        FollowedFileHintsTest.hints(),
                        FollowedNetworkFileHintsTest.hints(),
                        FollowedSettingsHintsTest.hints(),
                        FollowedMachineHintsTest.hints(),
                        FollowedTailscaleHintsTest.hints(),
                        FollowedTunnelHintsTest.hints(),
                        FollowedCommandHintsTest.hints(),
                        FollowedNamespaceHintsTest.hints())
                .flatMap(hints -> hints)
                .forEach(hint -> followed.addAll(matching(all, hint)));
        List<String> listed = Files.readAllLines(NOT_FOLLOWED).stream()
                .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                .toList();

        assertThat(all.stream()
                        .filter(template -> !followed.contains(template))
                        .filter(template -> listed.stream().noneMatch(template::isCalled))
                        .map(Template::toString))
                .as("hints that no test follows")
                .isEmpty();
        assertThat(listed.stream().filter(name -> all.stream().noneMatch(template -> template.isCalled(name))))
                .as("names of no hint")
                .isEmpty();
    }

    /** Returns the templates that match the hint with the longest literal text. */
    private static List<Template> matching(List<Template> all, FollowedHint hint) {
        List<Template> matching = all.stream()
                .filter(template -> hint.areas().contains(template.area()) && template.matches(hint.text()))
                .toList();
        int highestScore = matching.stream()
                .map(Template::literalLength)
                .max(Comparator.naturalOrder())
                .orElse(0);
        assertThat(highestScore)
                .as("'%s' is a hint in the sources", hint.text())
                .isPositive();
        return matching.stream()
                .filter(template -> template.literalLength() == highestScore)
                .toList();
    }
}
