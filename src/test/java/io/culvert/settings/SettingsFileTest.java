// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsFileTest {

    @TempDir
    private Path root;

    private final Problems problems = new Problems();

    private Map<String, String> read(String text, Map<String, String> environment) throws IOException {
        Files.writeString(root.resolve("settings.env"), text);
        Map<String, String> all = new java.util.HashMap<>(environment);
        all.put("CULVERT_SETTINGS", "/settings.env");
        Map<String, String> merged =
                SettingsFile.read(all, new FileRoot(root), problems).addedTo(all);
        merged.remove("CULVERT_SETTINGS");
        return merged;
    }

    /** As docker: opts/file.go. */
    @Test
    void the_syntax_is_that_of_env_files_of_container_engines() throws IOException {
        assertThat(read("""
                        \uFEFFCULVERT_MTU=1300
                          # a comment

                          CULVERT_DNS=10.0.0.1 # not a comment
                        CULVERT_SOCKS_PASSWORD="a=b"
                        HOME
                        CULVERT_LOG=
                        """, Map.of()))
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "CULVERT_MTU", "1300",
                        "CULVERT_DNS", "10.0.0.1 # not a comment",
                        "CULVERT_SOCKS_PASSWORD", "\"a=b\"",
                        "CULVERT_LOG", ""));
        assertThat(problems.all()).isEmpty();
    }

    @Test
    void lines_may_end_as_on_windows() throws IOException {
        assertThat(read("CULVERT_MTU=1300\r\nCULVERT_LOG=debug\r\n", Map.of()))
                .containsExactlyInAnyOrderEntriesOf(Map.of("CULVERT_MTU", "1300", "CULVERT_LOG", "debug"));
    }

    @Test
    void the_environment_takes_precedence_which_is_noted_and_an_empty_variable_counts_as_unset() throws IOException {
        assertThat(read(
                        "CULVERT_MTU=1300\nCULVERT_LOG=debug\nCULVERT_DNS=10.0.0.1\n",
                        Map.of("CULVERT_MTU", "1400", "CULVERT_LOG", "debug", "CULVERT_DNS", "")))
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of("CULVERT_MTU", "1400", "CULVERT_LOG", "debug", "CULVERT_DNS", "10.0.0.1"));
        assertThat(problems.all()).singleElement().satisfies(note -> {
            assertThat(note.kind()).isEqualTo(Problem.Kind.NOTE);
            assertThat(note.toString()).startsWith("/settings.env:1: ").contains("CULVERT_MTU");
        });
    }

    @Test
    void malformed_lines_are_reported_with_their_line_and_without_their_text() throws IOException {
        read("export CULVERT_SOCKS_PASSWORD=secret\n=x\nCULVERT_SETTINGS=/other\n", Map.of());

        assertThat(problems.all())
                .extracting(problem -> problem.location().toString())
                .containsExactly("/settings.env:1", "/settings.env:2", "/settings.env:3");
        assertThat(problems.all().toString()).doesNotContain("secret");
    }

    @Test
    void a_problem_with_a_setting_of_the_file_is_reported_at_its_line() throws IOException {
        Files.writeString(root.resolve("settings.env"), "# first\nCULVERT_MTU=fast\n");

        LoadedSettings loaded =
                new SettingsReader(Map.of("CULVERT_SETTINGS", "/settings.env", "CULVERT_MESH", "none"), root).read();

        assertThat(loaded.problems())
                .extracting(Problem::toString)
                .anySatisfy(text -> assertThat(text).startsWith("/settings.env:2: CULVERT_MTU: "));
    }

    @Test
    void a_missing_file_is_reported() {
        SettingsFile.read(Map.of("CULVERT_SETTINGS", "/nowhere.env"), new FileRoot(root), problems);

        assertThat(problems.all())
                .singleElement()
                .satisfies(problem ->
                        assertThat(problem.toString()).startsWith("CULVERT_SETTINGS: /nowhere.env does not exist"));
    }
}
