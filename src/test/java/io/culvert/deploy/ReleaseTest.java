package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The steps of a release that need neither a registry nor GitHub, on a project of a few lines. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ReleaseTest {

    @TempDir
    Path project;

    @BeforeEach
    void makeProject() throws IOException {
        Files.createDirectories(project.resolve("scripts"));
        Files.createSymbolicLink(
                project.resolve("scripts/release"), Path.of("scripts/release").toAbsolutePath());
        pom("1.2.0");
        Files.writeString(project.resolve("CHANGELOG.md"), """
                # Changelog

                ## [Unreleased]

                - Something to come.

                ## [1.2.0] - 2026-11-22

                ### Added

                - A window.

                ## [1.1.0] - 2026-10-01

                - A door.

                ## [1.0.0]

                [1.2.0]: https://example.org/1.2.0
                """);
    }

    private void pom(String version) throws IOException {
        Files.writeString(project.resolve("pom.xml"), """
                <project>
                  <groupId>io.culvert</groupId>
                  <version>%s</version>
                  <dependencies>
                    <dependency>
                      <version>9.9.9</version>
                    </dependency>
                  </dependencies>
                </project>
                """.formatted(version));
    }

    private Outcome release(String step, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                "sh",
                "-c",
                "cd \"$1\" && shift && exec \"$@\"",
                "release",
                project.toString(),
                "scripts/release/" + step));
        command.addAll(List.of(arguments));
        return Outcome.of(command);
    }

    @Test
    void the_version_is_told_when_tag_pom_and_changelog_agree() {
        assertThat(release("version", "v1.2.0").orFail()).isEqualTo("1.2.0\n");
    }

    @ParameterizedTest
    @CsvSource({
        "v1.2, is not vX.Y.Z",
        "1.2.0, is not vX.Y.Z",
        "v1.1.0, 'The version in pom.xml is 1.2.0, in the tag 1.1.0.'",
        "v1.3.0, CHANGELOG.md has no section '## [1.3.0]",
        "v1.0.0, The section of 1.0.0 in CHANGELOG.md has no release date"
    })
    void what_does_not_agree_is_told(String tag, String what) {
        Outcome refused = release("version", tag);

        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).contains(what);
        assertThat(refused.out()).isEmpty();
    }

    @Test
    void all_that_does_not_agree_is_told_at_once() throws IOException {
        pom("1.3.0-SNAPSHOT");

        assertThat(release("version", "v1.3.0").err())
                .contains("The version in pom.xml is 1.3.0-SNAPSHOT")
                .contains("CHANGELOG.md has no section");
    }

    @Test
    void the_project_s_own_version_is_read_from_its_own_pom() {
        Outcome refused = Outcome.of(List.of("scripts/release/version", "v999.0.0"));

        assertThat(refused.err()).contains("in the tag 999.0.0").doesNotContain("in pom.xml is ,");
    }

    @Test
    void the_notes_are_the_changelog_s_section_and_nothing_else() {
        assertThat(release("notes", "1.2.0").orFail()).isEqualTo("### Added\n\n- A window.\n");
        assertThat(release("notes", "1.1.0").orFail()).isEqualTo("- A door.\n");
        assertThat(release("notes", "7.0.0").orFail()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "1.2.3, full, , 1.2.3 latest",
        "1.2.3, minimal, , 1.2.3-minimal latest-minimal",
        "1.10.0, full, 1.9.0, 1.10.0 latest",
        "1.1.9, full, 1.2.0, 1.1.9",
        "1.2.0-rc.1, minimal, , 1.2.0-rc.1-minimal"
    })
    void the_newest_release_is_the_latest(String version, String flavour, String newest, String tags) {
        Outcome told = newest == null ? release("tags", version, flavour) : release("tags", version, flavour, newest);

        assertThat(told.orFail().strip().replace('\n', ' ')).isEqualTo(tags);
    }

    @Test
    void there_are_two_flavours() {
        assertThat(release("tags", "1.2.3", "vanilla").err())
                .contains("Unknown flavour 'vanilla': use full or minimal.");
    }
}
