// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class CommandLineTest {

    @TempDir
    Path root;

    @ParameterizedTest
    @MethodSource("commands")
    void every_command_has_help_in_both_forms(String command) {
        for (String option : List.of("-h", "--help")) {
            CommandRun run = culvert(words(command, option));

            assertThat(run.status()).isZero();
            assertThat(run.out()).startsWith("Usage: " + ("culvert " + command).strip());
            assertThat(run.err()).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("commands")
    void every_command_prints_the_version(String command) {
        CommandRun run = culvert(words(command, "--version"));

        assertThat(run.status()).isZero();
        assertThat(run.out()).startsWith("culvert ");
    }

    static Stream<String> commands() {
        List<String> names = new ArrayList<>();
        collect(new Commands(CommandEnvironment.real()).all(), "", names);
        return names.stream();
    }

    private static void collect(CommandLine command, String name, List<String> names) {
        names.add(name);
        command.getSubcommands().forEach((next, line) -> collect(line, (name + " " + next).strip(), names));
    }

    @Test
    void help_of_up_lists_the_settings() {
        assertThat(culvert("up", "--help").out())
                .contains("CULVERT_WIREGUARD_CONFIG, TSWG_WGCONF, WG_CONFIG", "Exit status: 0 stopped");
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
                    sattus            | culvert sattus: unknown command                   | did you mean status?
                    xyz               | culvert xyz: unknown command                      | see 'culvert --help'
                    status --jsn      | culvert status --jsn: unknown option              | did you mean --json?
                    status --zzz      | culvert status --zzz: unknown option              | see 'culvert status --help'
                    status more       | culvert status more: unexpected argument          | see 'culvert status --help'
                    tunnel pu         | culvert tunnel pu: unknown command                | did you mean up?
                    tunnel up         | culvert tunnel up: Missing required parameter: 'FILE' | see 'culvert tunnel up --help'
                    tunnel            | culvert tunnel: Missing command: up, down, show or plan | see 'culvert tunnel --help'
                    """, delimiter = '|', quoteCharacter = '"')
    void an_invalid_command_line_exits_with_2_and_a_hint(String line, String message, String hint) {
        CommandRun run = culvert(line.split(" ", -1));

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).containsExactly(message, "    hint: " + hint);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "up", "plan", "plan --json"})
    void invalid_settings_exit_with_2_and_are_all_reported(String command) {
        CommandRun run = CommandRun.of(
                Map.of("CULVERT_SOCKS_PROT", "1081", "CULVERT_MTU", "many", "CULVERT_MESH", "none"),
                root,
                words(command));

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err())
                .contains("CULVERT_SOCKS_PROT: unknown setting", "did you mean CULVERT_SOCKS_PORT?", "CULVERT_MTU: ")
                .contains("etc/wireguard")
                .endsWith("3 errors\n")
                .doesNotContain("\tat ", "Exception");
    }

    @Test
    void check_reports_the_same_on_standard_output() {
        CommandRun run = CommandRun.of(Map.of("CULVERT_MESH", "tailscale"), root, "check");

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.out()).contains("× ");
        assertThat(run.err()).isEmpty();
    }

    @Test
    void variables_of_tailscale_that_would_leak_are_refused_all_at_once() {
        file("etc/wireguard/wg0.conf", """
                [Interface]
                PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
                Address = 10.64.0.2/32
                [Peer]
                PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                AllowedIPs = 0.0.0.0/0
                Endpoint = 192.0.2.10:51820
                """);

        CommandRun run = CommandRun.of(
                Map.of("TS_USERSPACE", "true", "TS_DEST_IP", "192.0.2.1", "TS_AUTHKEY", "tskey-secret"), root, "plan");

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains("TS_USERSPACE: ", "TS_DEST_IP: ").doesNotContain("tskey-secret");
    }

    @ParameterizedTest
    @ValueSource(strings = {"status", "health", "status --json", "health --json"})
    void without_a_running_exit_node_status_commands_exit_with_1(String command) {
        CommandRun run = culvert(words(command));

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).containsIgnoringCase("stopped");
        assertThat(run.err()).isEmpty();
    }

    @Test
    void a_missing_tunnel_file_is_reported_as_invalid_input() {
        CommandRun run = culvert("tunnel", "plan", root.resolve("none.conf").toString());

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).contains("none.conf").doesNotContain("Exception");
    }

    @Test
    void an_internal_error_is_one_line_with_its_source_location() {
        assertThat(ErrorReporter.unexpectedError(new IllegalStateException("half open"), "culvert up"))
                .asString()
                .startsWith("culvert up: half open\n    hint: report this as a bug in Culvert:"
                        + " IllegalStateException at CommandLineTest.java:");
        assertThat(ErrorReporter.unexpectedError(
                        new UncheckedIOException(new IOException("No space left")), "culvert up"))
                .hasToString("culvert up: No space left");
    }

    private CommandRun culvert(String... args) {
        return CommandRun.of(Map.of(), root, args);
    }

    private static String[] words(String command, String... more) {
        return Stream.concat(Stream.of(command.split(" ")).filter(word -> !word.isEmpty()), Stream.of(more))
                .toArray(String[]::new);
    }

    private void file(String name, String text) {
        try {
            Files.createDirectories(root.resolve(name).getParent());
            Files.writeString(root.resolve(name), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
