// SPDX-License-Identifier: Apache-2.0
package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The steps of a release that need neither a registry nor GitHub, on a project of a few lines. */
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

    private CommandResult release(String step, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                "sh",
                "-c",
                "cd \"$1\" && shift && exec \"$@\"",
                "release",
                project.toString(),
                "scripts/release/" + step));
        command.addAll(List.of(arguments));
        return CommandResult.of(command);
    }

    @Test
    void the_version_is_printed_if_tag_pom_and_changelog_agree() {
        assertThat(release("version", "v1.2.0").outputOrFail()).isEqualTo("1.2.0\n");
    }

    @ParameterizedTest
    @CsvSource({
        "v1.2, is not vX.Y.Z",
        "1.2.0, is not vX.Y.Z",
        "v1.1.0, 'The version in pom.xml is 1.2.0, in the tag 1.1.0.'",
        "v1.3.0, CHANGELOG.md has no section '## [1.3.0]",
        "v1.0.0, The section of 1.0.0 in CHANGELOG.md has no release date"
    })
    void a_mismatch_is_reported(String tag, String message) {
        CommandResult refused = release("version", tag);

        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).contains(message);
        assertThat(refused.out()).isEmpty();
    }

    @Test
    void all_mismatches_are_reported_together() throws IOException {
        pom("1.3.0-SNAPSHOT");

        assertThat(release("version", "v1.3.0").err())
                .contains("The version in pom.xml is 1.3.0-SNAPSHOT")
                .contains("CHANGELOG.md has no section");
    }

    @Test
    void the_projects_version_is_read_from_its_own_pom() {
        CommandResult refused = CommandResult.of(List.of("scripts/release/version", "v999.0.0"));

        assertThat(refused.err()).contains("in the tag 999.0.0").doesNotContain("in pom.xml is ,");
    }

    @Test
    void the_release_notes_are_the_section_of_the_changelog() {
        assertThat(release("notes", "1.2.0").outputOrFail()).isEqualTo("### Added\n\n- A window.\n");
        assertThat(release("notes", "1.1.0").outputOrFail()).isEqualTo("- A door.\n");
        assertThat(release("notes", "7.0.0").outputOrFail()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "1.2.3, full, , 1.2.3 latest",
        "1.2.3, minimal, , 1.2.3-minimal latest-minimal",
        "1.10.0, full, 1.9.0, 1.10.0 latest",
        "1.1.9, full, 1.2.0, 1.1.9",
        "1.2.0-rc.1, minimal, , 1.2.0-rc.1-minimal",
        "1.2.0, none, , 1.2.0-wireguard latest-wireguard"
    })
    void only_the_newest_release_gets_the_tag_latest(String version, String flavour, String newest, String tags) {
        CommandResult result =
                newest == null ? release("tags", version, flavour) : release("tags", version, flavour, newest);

        assertThat(result.outputOrFail().strip().replace('\n', ' ')).isEqualTo(tags);
    }

    @Test
    void each_architecture_has_a_digest_of_its_own() {
        String list = """
                {"schemaVersion": 2, "manifests": [
                  {"digest": "sha256:aa", "platform": {"architecture": "amd64", "os": "linux"}},
                  {"digest": "sha256:bb", "platform": {"architecture": "arm64", "os": "linux"}}]}
                """;

        CommandResult platforms =
                CommandResult.of(List.of("sh", "-c", "printf %s \"$1\" | scripts/release/platforms", "sh", list));

        assertThat(platforms.outputOrFail()).isEqualTo("x86_64 sha256:aa\naarch64 sha256:bb\n");
    }

    @Test
    void an_unknown_flavour_is_refused() {
        assertThat(release("tags", "1.2.3", "vanilla").err())
                .contains("Unknown flavour 'vanilla': use full, minimal or none.");
    }
}
