// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** Man pages and shell completion: they know every command and option, and their own programs understand them. */
class ShareFilesTest {

    private static final CommandLine CULVERT = new Commands(CommandEnvironment.real()).all();
    private static final Map<String, String> PAGES = ShareFiles.manPages(CULVERT, "2026-01-02");

    @TempDir
    Path directory;

    /** Returns the visible options of a command; those for internal use are tested to be absent. */
    private static List<String> options(CommandSpec command, boolean hidden) {
        return command.options().stream()
                .filter(option -> option.hidden() == hidden)
                .flatMap(option -> Stream.of(option.names()))
                .toList();
    }

    private static List<String> subcommands(CommandSpec command, boolean hidden) {
        return command.subcommands().entrySet().stream()
                .filter(child ->
                        child.getValue().getCommandSpec().usageMessage().hidden() == hidden)
                .map(Map.Entry::getKey)
                .toList();
    }

    @Test
    void every_command_has_a_man_page_with_all_of_its_options() throws Exception {
        for (CommandSpec command : ShareFiles.visible(CULVERT).toList()) {
            String page = rendered(command.qualifiedName("-"));

            assertThat(page)
                    .as(command.qualifiedName())
                    .contains("NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO", "2026-01-02");
            for (String option : options(command, false)) {
                assertThat(page).as(command.qualifiedName()).containsPattern("(?<![\\w-])" + option + "(?![\\w-])");
            }
            for (String option : options(command, true)) {
                assertThat(page).as(command.qualifiedName()).doesNotContain(option);
            }
            for (String child : subcommands(command, false)) {
                assertThat(page).contains(command.qualifiedName("-") + "-" + child + "(1)");
                assertThat(PAGES).containsKey(command.qualifiedName("-") + "-" + child);
            }
        }
        assertThat(PAGES).hasSameSizeAs(ShareFiles.visible(CULVERT).toList());
    }

    @Test
    void the_man_page_of_up_has_the_settings() throws Exception {
        assertThat(rendered("culvert-up"))
                .contains(
                        "ENVIRONMENT", "CULVERT_WIREGUARD_CONFIG, TSWG_WGCONF, WG_CONFIG", "EXIT STATUS", "0 stopped");
    }

    /** Returns a page as man(1) shows it; any warning of groff is a failure. */
    private String rendered(String name) throws Exception {
        Path source = Files.writeString(directory.resolve(name + ".1"), PAGES.getOrDefault(name, ""));
        assumeThat(Stream.of(System.getenv("PATH").split(":")).map(path -> Path.of(path, "groff")))
                .as("groff is installed (Debian package: groff-base)")
                .anyMatch(Files::isExecutable);
        Path warnings = directory.resolve("warnings");
        // Without hyphenation and justification, and as wide as no line is.
        Process groff = new ProcessBuilder(
                        "groff",
                        "-K",
                        "utf8",
                        "-T",
                        "utf8",
                        "-P-cbou",
                        "-man",
                        "-ww",
                        "-rLL=400n",
                        "-rHY=0",
                        source.toString())
                .redirectError(warnings.toFile())
                .start();
        String text = new String(groff.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(groff.waitFor()).isZero();
        assertThat(warnings).as(name).isEmptyFile();
        return text.replace('−', '-').replace('‐', '-');
    }

    @Test
    void completion_knows_every_command_and_option() throws Exception {
        List<CommandSpec> commands = ShareFiles.visible(CULVERT).toList();
        List<List<String>> completions = completions(commands.stream()
                .flatMap(command -> Stream.of(command.qualifiedName() + " ''", command.qualifiedName() + " -"))
                .toList());

        for (int i = 0; i < commands.size(); i++) {
            CommandSpec command = commands.get(i);
            assertThat(completions.get(2 * i))
                    .as(command.qualifiedName())
                    .containsExactlyInAnyOrderElementsOf(
                            takesPath(command) ? List.of("file") : subcommands(command, false));
            assertThat(completions.get(2 * i + 1))
                    .as(command.qualifiedName())
                    .containsExactlyInAnyOrderElementsOf(options(command, false));
        }
    }

    /** Returns whether the first argument that is not an option is a path. */
    private static boolean takesPath(CommandSpec command) {
        return !command.positionalParameters().isEmpty()
                && command.positionalParameters().getFirst().paramLabel().startsWith("FILE");
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            culvert tun                               | tunnel
            culvert tunnel up --k                     | --kill-switch
            culvert tunnel up fi                      | file
            culvert exec --config ''                  | file
            culvert mesh qr --output ''               | file
            culvert mesh status --json ''             |
            """, delimiter = '|', quoteCharacter = '"')
    void completion_continues_a_command_line(String line, @Nullable String words) throws Exception {
        assertThat(completions(List.of(line)).getFirst())
                .containsExactly(words == null ? new String[0] : words.split(" ", -1));
    }

    /** Returns what bash offers at the end of each command line, in a directory with one file. */
    private List<List<String>> completions(List<String> lines) throws IOException, InterruptedException {
        StringBuilder script = new StringBuilder(ShareFiles.completion(CULVERT)).append("""

                # Bash calls the function with these variables, and lets only such a function call compopt.
                compopt() { :; }
                offer() {
                  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
                  _complete_culvert culvert "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
                  echo "${COMPREPLY[*]}"
                }
                """);
        lines.forEach(line -> script.append("offer ").append(line).append('\n'));
        Path file = Files.writeString(directory.resolve("script"), script);
        Path somewhere = Files.createDirectory(directory.resolve("somewhere"));
        Files.createFile(somewhere.resolve("file"));
        Process bash = new ProcessBuilder("bash", file.toString())
                .directory(somewhere.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(bash.waitFor()).as(output).isZero();
        return output.lines()
                .map(line -> Stream.of(line.split(" ", -1))
                        .filter(word -> !word.isEmpty())
                        .toList())
                .toList();
    }
}
