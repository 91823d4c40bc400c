// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Observer;
import io.culvert.lab.Provider;
import io.culvert.lab.ReceivedQuery;
import io.culvert.lab.RunningProgram;
import io.culvert.linux.AbstractSocketLock;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** A confined program reaches only what it should, and otherwise runs as usual. */
@NamespaceTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConfinedProgramTest {

    private final ConfinementLab lab = new ConfinementLab(LabOptions.DEFAULTS);
    private final Provider provider = lab.lab().provider();
    private final String file = lab.file("wg0.conf", provider.file());
    private final Observer observer = lab.observe();
    private final String before = lab.machineState();

    /** Keeps the namespace between tests, as its start takes longer than a test. */
    @BeforeEach
    void startNamespace() {
        lab.culvert("netns", "up", "wg0", "--config", file).outputOrFail();
        observer.reset();
    }

    @AfterEach
    void assertNoLeaks() {
        assertThat(observer.leaks()).isEmpty();
    }

    @AfterAll
    void close() {
        lab.culvert("netns", "down", "wg0").outputOrFail();
        String after = lab.machineState();
        lab.close();
        assertThat(after).isEqualTo(before);
    }

    private CommandResult exec(String... command) {
        return lab.culvert(arguments(command));
    }

    private static String[] arguments(String... command) {
        return Stream.concat(Stream.of("exec", "--netns", "wg0", "--"), Arrays.stream(command))
                .toArray(String[]::new);
    }

    @Test
    void dns_and_http_use_the_tunnel_with_ipv4_and_ipv6() {
        assertThat(exec("curl", "-s", "-4", "--max-time", "30", "http://www.example/")
                        .outputOrFail())
                .contains(provider.publicIpv4());
        assertThat(exec("curl", "-s", "-6", "--max-time", "30", "http://www.example/")
                        .outputOrFail())
                .contains(provider.publicIpv6());
        assertThat(lab.lab().internet().queries())
                .extracting(ReceivedQuery::sourceAddress)
                .contains(provider.publicIpv4())
                .doesNotContain(Lab.NODE_IPV4, Lab.NODE_IPV6);
    }

    @Test
    void the_namespace_has_only_loopback_and_the_tunnel() {
        assertThat(exec("sh", "-c", "ip -o link | cut -d: -f2; ip -o -4 address show dev wg0; ip -o -6 route")
                        .outputOrFail())
                .startsWith(" lo\n wg0\n")
                .contains(provider.customerIpv4())
                .contains("default dev wg0");
    }

    @Test
    void dns_queries_to_any_address_are_answered_by_the_tunnels_resolver() {
        for (String[] server : new String[][] {
            {"127.0.0.1", "+notcp"}, {"127.0.0.53", "+tcp"}, {"203.0.113.99", "+notcp"}, {"198.51.100.1", "+tcp"}
        }) {
            assertThat(exec("dig", "+short", "+tries=3", "+time=5", server[1], "@" + server[0], "A", "www.example"))
                    .as(server[0])
                    .extracting(outcome -> outcome.out().strip(), CommandResult::status)
                    .containsExactly(Lab.SERVER_IPV4, 0);
        }
        // Without an IPv6 DNS server the query fails at once, so that programs fall back to IPv4.
        assertThat(exec("dig", "+tries=1", "+time=30", "@2001:db8:1::53", "A", "www.example")
                        .status())
                .isNotZero();
    }

    @Test
    void packets_cannot_leave_outside_the_tunnel() {
        CommandResult attempts = exec(ConfinementLab.leakAttempts());

        assertThat(attempts.outputOrFail())
                .contains("UDP to " + Lab.SERVER_IPV4 + ": sent")
                .contains("UDP by eth0 to " + Lab.SERVER_IPV4 + ": errno 19")
                .contains("raw IP to " + Lab.SERVER_IPV4 + ": sent")
                .contains("a frame by eth0: errno 19");
        assertThat(observer.leaks()).isEmpty();
        assertThat(observer.sees(() -> lab.run(ConfinementLab.leakAttempts()).outputOrFail()))
                .isTrue();
    }

    @Test
    void files_in_etc_are_unchanged_except_for_name_resolution() {
        assertThat(exec(
                                "sh",
                                "-c",
                                "cat /etc/resolv.conf; grep -v '^#' /etc/nsswitch.conf | grep hosts; wc -l < /etc/passwd")
                        .outputOrFail())
                .isEqualTo("nameserver " + provider.tunnelIpv4() + "\nhosts: files dns\n"
                        + lab.run("sh", "-c", "wc -l < /etc/passwd").outputOrFail());
        assertThat(exec("ls", "/etc").outputOrFail())
                .isEqualTo(lab.run("ls", "/etc").outputOrFail());
        assertThat(lab.run("cat", "/etc/resolv.conf").outputOrFail()).contains(Lab.ROUTER_IPV4);
    }

    @Test
    void its_resolv_conf_stays_when_the_machines_is_replaced() {
        RunningProgram program = lab.start(arguments(
                "sh", "-c", "echo started; " + ConfinementLab.AWAIT_CONTINUE + "; cat /etc/resolv.conf; echo end"));
        program.awaitLine("started", ConfinementLab.TIMEOUT);

        lab.run(
                        "sh",
                        "-c",
                        "cp /etc/resolv.conf /run/kept; umount /etc/resolv.conf; echo nameserver 192.0.2.1 > /etc/new;"
                                + " mv /etc/new /etc/resolv.conf")
                .outputOrFail();
        lab.continueProgram();
        program.awaitLine("end", ConfinementLab.TIMEOUT);
        lab.run("sh", "-c", "cat /run/kept > /etc/resolv.conf").outputOrFail();

        assertThat(program.output())
                .contains("nameserver " + provider.tunnelIpv4())
                .doesNotContain("nameserver 192.0.2.1\n");
    }

    @Test
    void arguments_that_look_like_options_of_culvert_or_java_reach_the_program() {
        assertThat(exec("echo", "-Dculvert.programs=/x", "-Xmx1g", "-XX:+Nothing", "--json", "--help")
                        .outputOrFail())
                .isEqualTo("-Dculvert.programs=/x -Xmx1g -XX:+Nothing --json --help\n");
    }

    @Test
    void exit_statuses_and_signals_are_those_of_the_program() {
        assertThat(exec("sh", "-c", "exit 7").status()).isEqualTo(7);
        assertThat(exec("sh", "-c", "kill -KILL $$").status()).isEqualTo(137);
        assertThat(exec("no-such-program").status()).isEqualTo(127);
        assertThat(exec("/etc/passwd").status()).isEqualTo(126);

        RunningProgram program = lab.start(arguments(
                "sh", "-c", "trap 'kill $!; wait $!; echo told; exit 9' USR1; sleep infinity & echo pid $$; wait"));
        String pid = program.awaitLine("pid ([0-9]+)", ConfinementLab.TIMEOUT).group(1);
        lab.run("kill", "-USR1", pid).outputOrFail();
        assertThat(program.awaitExit(ConfinementLab.TIMEOUT)).isEqualTo(9);
    }

    @Test
    void the_program_inherits_the_same_as_a_child_of_the_shell() {
        String script =
                "pwd; echo $GREETING; ulimit -n; cat; grep -oE 'Sig(Blk|Ign):|[0-9a-f]{7}$' /proc/self/status | grep -A1 -E 'SigBlk|SigIgn'; ls /proc/self/fd | wc -l";
        String[] shell = {"sh", "-c", "cd /usr/share && export GREETING='grüß dich' && echo hello | \"$@\"", "sh"};
        String expected = lab.run(concat(shell, "sh", "-c", script)).outputOrFail();

        assertThat(lab.run(concat(shell, concat(new String[] {culvert()}, arguments("sh", "-c", script))))
                        .outputOrFail())
                .isEqualTo(expected)
                .startsWith("/usr/share\ngrüß dich\n")
                .contains("\nhello\n");
    }

    @Test
    void signals_ignored_by_nohup_or_for_background_jobs_stay_ignored() {
        String[] shell = {"sh", "-c", "trap '' INT HUP; exec \"$@\"", "sh"};
        // Without real-time signals, which the C library uses.
        String[] signalMask = {"sh", "-c", "grep SigIgn /proc/self/status | grep -o '[0-9a-f]*$' | tail -c 8"};
        String expected = lab.run(concat(shell, signalMask)).outputOrFail();

        assertThat(expected).isNotEqualTo(lab.run(signalMask).outputOrFail());
        assertThat(lab.run(concat(shell, concat(new String[] {culvert()}, arguments(signalMask))))
                        .outputOrFail())
                .isEqualTo(expected);
    }

    @Test
    void sigpipe_and_sigxfsz_terminate_the_program() {
        assertThat(exec("bash", "-c", "yes | head -n 1 > /dev/null; exit ${PIPESTATUS[0]}")
                        .status())
                .isEqualTo(128 + 13);
        assertThat(exec(
                                "sh",
                                "-c",
                                "ulimit -f 1; head -c 100000 /dev/zero > /tmp/too-large; s=$?; rm /tmp/too-large; exit $s")
                        .status())
                .isEqualTo(128 + 25);
    }

    @Test
    void another_user_can_read_resolv_conf_with_any_umask() {
        String[] shell = {"sh", "-c", "umask 077; exec \"$@\"", "sh"};
        assertThat(lab.run(concat(
                                shell,
                                concat(
                                        new String[] {culvert()},
                                        "exec",
                                        "--netns",
                                        "wg0",
                                        "--user",
                                        "nobody",
                                        "--",
                                        "cat",
                                        "/etc/resolv.conf")))
                        .outputOrFail())
                .isEqualTo("nameserver " + provider.tunnelIpv4() + "\n");
    }

    @Test
    void the_program_controls_the_terminal() {
        // script(1) creates a terminal, whose input and signals must reach the program.
        String inside = String.join(
                " ",
                concat(
                        new String[] {culvert()},
                        arguments(
                                "sh",
                                "-c",
                                "'test -t 0 && stty size; sleep infinity & child=$!; trap \"kill $child; wait $child; echo interrupted; exit 3\" INT; echo > /run/typing; wait'")));
        CommandResult outcome = lab.run(
                "sh",
                "-c",
                "mkfifo /run/keys /run/typing; exec 3<>/run/keys; (read _ < /run/typing; printf '\\003' >&3) &"
                        + " script -qefc \"stty rows 33 cols 77; exec "
                        + inside.replace("\"", "\\\"").replace("$", "\\$")
                        + "\" /run/screen < /run/keys; status=$?; kill $!; exit $status");

        assertThat(outcome.out()).contains("33 77").contains("interrupted");
        assertThat(outcome.status()).isEqualTo(3);
    }

    @Test
    void the_user_option_changes_user_and_group_and_drops_capabilities() {
        assertThat(lab.culvert(
                                "exec",
                                "--netns",
                                "wg0",
                                "--user",
                                "nobody",
                                "--",
                                "sh",
                                "-c",
                                "id -un; id -gn; echo $USER; grep CapEff /proc/self/status")
                        .outputOrFail())
                .isEqualTo("nobody\nnogroup\nnobody\nCapEff:\t0000000000000000\n");
        assertThat(lab.culvert("exec", "--netns", "wg0", "--user", "nobody-at-all", "--", "true"))
                .satisfies(outcome -> assertThat(outcome.status()).isEqualTo(2))
                .satisfies(outcome -> assertThat(outcome.err()).contains("no such user"));
    }

    @Test
    void abstract_unix_sockets_of_the_machine_are_not_visible() throws Exception {
        String name = "culvert-test-abstract";
        try (AbstractSocketLock _ =
                lab.node().namespace().call(() -> AbstractSocketLock.take(name)).orElseThrow()) {
            assertThat(lab.run("grep", "-c", "@" + name, "/proc/net/unix").out())
                    .isEqualTo("1\n");
            assertThat(exec("grep", "-c", "@" + name, "/proc/net/unix").out()).isEqualTo("0\n");
        }
        // curl's status 7 would mean that the connection was refused.
        assertThat(exec("curl", "-s", "--max-time", "5", "--unix-socket", "/run/culvert/netns/wg0.sock", "http://x/")
                        .status())
                .isNotEqualTo(7);
    }

    @Test
    void the_machines_name_service_cache_is_not_used() {
        lab.run("sh", "-c", "mkdir /run/nscd; touch /run/nscd/socket").outputOrFail();
        assertThat(exec("ls", "-A", "/run/nscd").outputOrFail()).isEmpty();
        assertThat(lab.run("ls", "-A", "/run/nscd").outputOrFail()).isEqualTo("socket\n");
        lab.run("rm", "-r", "/run/nscd").outputOrFail();
    }

    @Test
    void the_list_shows_namespaces_as_text_and_json() {
        RunningProgram program = lab.start(arguments("sh", "-c", "echo pid $$; cat"));
        program.awaitLine("pid", ConfinementLab.TIMEOUT);
        assertThat(lab.culvert("netns", "list").outputOrFail()).contains("wg0").contains("wg0.conf");
        assertThat(lab.culvert("netns", "list", "--json").outputOrFail()).contains("\"state\":\"up\"");
        program.awaitExit(ConfinementLab.TIMEOUT);
    }

    private static String culvert() {
        return System.getProperty(
                "culvert.program",
                java.nio.file.Path.of("culvert").toAbsolutePath().toString());
    }

    private static String[] concat(String[] some, String... more) {
        return Stream.concat(Arrays.stream(some), Arrays.stream(more)).toArray(String[]::new);
    }
}
