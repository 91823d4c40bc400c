package io.culvert.confinement;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Child;
import io.culvert.lab.DnsQuestion;
import io.culvert.lab.Lab;
import io.culvert.lab.Observer;
import io.culvert.lab.Outcome;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import io.culvert.linux.NamespaceClaim;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** A confined program reaches only what it should, and otherwise runs as usual. */
@Tag("lab")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ConfinedProgramTest {

    private final ConfinementLab lab = new ConfinementLab(Shape.USUAL);
    private final Provider provider = lab.lab().provider();
    private final String file = lab.file("wg0.conf", provider.file());
    private final Observer observer = lab.observe();
    private final String before = lab.everything();

    /** Keeps the namespace between tests, as its start takes longer than a test. */
    @BeforeEach
    void raise() {
        lab.culvert("netns", "up", "wg0", "--config", file).orFail();
        observer.forget();
    }

    @AfterEach
    void nothing_left_beside_the_tunnel() {
        assertThat(observer.leaks()).isEmpty();
    }

    @AfterAll
    void close() {
        lab.culvert("netns", "down", "wg0").orFail();
        String after = lab.everything();
        lab.close();
        assertThat(after).isEqualTo(before);
    }

    private Outcome exec(String... command) {
        return lab.culvert(arguments(command));
    }

    private static String[] arguments(String... command) {
        return Stream.concat(Stream.of("exec", "--netns", "wg0", "--"), Arrays.stream(command))
                .toArray(String[]::new);
    }

    @Test
    void names_and_web_pages_come_through_the_tunnel_in_both_families() {
        assertThat(exec("curl", "-s", "-4", "--max-time", "30", "http://www.example/")
                        .orFail())
                .contains(provider.outer4());
        assertThat(exec("curl", "-s", "-6", "--max-time", "30", "http://www.example/")
                        .orFail())
                .contains(provider.outer6());
        assertThat(lab.lab().internet().questions())
                .extracting(DnsQuestion::asker)
                .contains(provider.outer4())
                .doesNotContain(Lab.NODE_4, Lab.NODE_6);
    }

    @Test
    void there_is_nothing_but_loopback_and_the_tunnel() {
        assertThat(exec("sh", "-c", "ip -o link | cut -d: -f2; ip -o -4 address show dev wg0; ip -o -6 route")
                        .orFail())
                .startsWith(" lo\n wg0\n")
                .contains(provider.customer4())
                .contains("default dev wg0");
    }

    @Test
    void whoever_is_asked_for_a_name_the_tunnels_resolver_answers() {
        for (String[] server : new String[][] {
            {"127.0.0.1", "+notcp"}, {"127.0.0.53", "+tcp"}, {"203.0.113.99", "+notcp"}, {"198.51.100.1", "+tcp"}
        }) {
            assertThat(exec("dig", "+short", "+tries=3", "+time=5", server[1], "@" + server[0], "A", "www.example"))
                    .as(server[0])
                    .extracting(outcome -> outcome.out().strip(), Outcome::status)
                    .containsExactly(Lab.SERVER_4, 0);
        }
        // Without an IPv6 DNS server the query fails at once, so that programs fall back to IPv4.
        assertThat(exec("dig", "+tries=1", "+time=30", "@2001:db8:1::53", "A", "www.example")
                        .status())
                .isNotZero();
    }

    @Test
    void whatever_it_tries_nothing_leaves_but_by_the_tunnel() {
        Outcome attempts = exec(ConfinementLab.escape());

        assertThat(attempts.orFail())
                .contains("UDP to " + Lab.SERVER_4 + ": sent")
                .contains("UDP by eth0 to " + Lab.SERVER_4 + ": errno 19")
                .contains("raw IP to " + Lab.SERVER_4 + ": sent")
                .contains("a frame by eth0: errno 19");
        assertThat(observer.leaks()).isEmpty();
        assertThat(observer.sees(() -> lab.run(ConfinementLab.escape()).orFail()))
                .isTrue();
    }

    @Test
    void what_it_finds_is_what_there_was_but_for_how_names_are_found() {
        assertThat(exec(
                                "sh",
                                "-c",
                                "cat /etc/resolv.conf; grep -v '^#' /etc/nsswitch.conf | grep hosts; wc -l < /etc/passwd")
                        .orFail())
                .isEqualTo("nameserver " + provider.inner4() + "\nhosts: files dns\n"
                        + lab.run("sh", "-c", "wc -l < /etc/passwd").orFail());
        assertThat(exec("ls", "/etc").orFail()).isEqualTo(lab.run("ls", "/etc").orFail());
        assertThat(lab.run("cat", "/etc/resolv.conf").orFail()).contains(Lab.ROUTER_4);
    }

    @Test
    void its_resolv_conf_survives_that_the_machines_is_replaced() {
        Child program = lab.start(arguments(
                "sh", "-c", "echo started; " + ConfinementLab.AWAIT_LEAVE + "; cat /etc/resolv.conf; echo end"));
        program.awaitLine("started", ConfinementLab.SOON);

        lab.run(
                        "sh",
                        "-c",
                        "cp /etc/resolv.conf /run/kept; umount /etc/resolv.conf; echo nameserver 192.0.2.1 > /etc/new;"
                                + " mv /etc/new /etc/resolv.conf")
                .orFail();
        lab.leave();
        program.awaitLine("end", ConfinementLab.SOON);
        lab.run("sh", "-c", "cat /run/kept > /etc/resolv.conf").orFail();

        assertThat(program.output())
                .contains("nameserver " + provider.inner4())
                .doesNotContain("nameserver 192.0.2.1\n");
    }

    @Test
    void its_arguments_are_its_own_whatever_they_would_mean_to_us() {
        assertThat(exec("echo", "-Dculvert.programs=/x", "-Xmx1g", "-XX:+Nothing", "--json", "--help")
                        .orFail())
                .isEqualTo("-Dculvert.programs=/x -Xmx1g -XX:+Nothing --json --help\n");
    }

    @Test
    void exit_statuses_and_signals_are_the_programs_own() {
        assertThat(exec("sh", "-c", "exit 7").status()).isEqualTo(7);
        assertThat(exec("sh", "-c", "kill -KILL $$").status()).isEqualTo(137);
        assertThat(exec("no-such-program").status()).isEqualTo(127);
        assertThat(exec("/etc/passwd").status()).isEqualTo(126);

        Child program = lab.start(arguments(
                "sh", "-c", "trap 'kill $!; wait $!; echo told; exit 9' USR1; sleep infinity & echo pid $$; wait"));
        String pid = program.awaitLine("pid ([0-9]+)", ConfinementLab.SOON).group(1);
        lab.run("kill", "-USR1", pid).orFail();
        assertThat(program.awaitExit(ConfinementLab.SOON)).isEqualTo(9);
    }

    @Test
    void it_inherits_what_a_child_of_the_shell_would() {
        String sees =
                "pwd; echo $GREETING; ulimit -n; cat; grep -oE 'Sig(Blk|Ign):|[0-9a-f]{7}$' /proc/self/status | grep -A1 -E 'SigBlk|SigIgn'; ls /proc/self/fd | wc -l";
        String[] shell = {"sh", "-c", "cd /usr/share && export GREETING='grüß dich' && echo hello | \"$@\"", "sh"};
        String here = lab.run(concat(shell, "sh", "-c", sees)).orFail();

        assertThat(lab.run(concat(shell, concat(new String[] {culvert()}, arguments("sh", "-c", sees))))
                        .orFail())
                .isEqualTo(here)
                .startsWith("/usr/share\ngrüß dich\n")
                .contains("\nhello\n");
    }

    @Test
    void what_nohup_or_a_shell_in_the_background_ignores_it_ignores_too() {
        String[] shell = {"sh", "-c", "trap '' INT HUP; exec \"$@\"", "sh"};
        // Without real-time signals, which the C library uses.
        String[] asked = {"sh", "-c", "grep SigIgn /proc/self/status | grep -o '[0-9a-f]*$' | tail -c 8"};
        String here = lab.run(concat(shell, asked)).orFail();

        assertThat(here).isNotEqualTo(lab.run(asked).orFail());
        assertThat(lab.run(concat(shell, concat(new String[] {culvert()}, arguments(asked))))
                        .orFail())
                .isEqualTo(here);
    }

    @Test
    void a_pipe_that_nobody_reads_and_a_file_that_is_too_large_end_it_as_any_program() {
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
    void another_user_finds_names_whatever_the_umask_is() {
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
                        .orFail())
                .isEqualTo("nameserver " + provider.inner4() + "\n");
    }

    @Test
    void a_terminal_is_the_programs_own() {
        // script(1) creates a terminal, whose input and signals must reach the program.
        String inside = String.join(
                " ",
                concat(
                        new String[] {culvert()},
                        arguments(
                                "sh",
                                "-c",
                                "'test -t 0 && stty size; sleep infinity & child=$!; trap \"kill $child; wait $child; echo interrupted; exit 3\" INT; echo > /run/typing; wait'")));
        Outcome outcome = lab.run(
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
    void another_user_is_that_user() {
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
                        .orFail())
                .isEqualTo("nobody\nnogroup\nnobody\nCapEff:\t0000000000000000\n");
        assertThat(lab.culvert("exec", "--netns", "wg0", "--user", "nobody-at-all", "--", "true"))
                .satisfies(outcome -> assertThat(outcome.status()).isEqualTo(2))
                .satisfies(outcome -> assertThat(outcome.err()).contains("no such user"));
    }

    @Test
    void unix_sockets_with_a_path_are_files_and_abstract_ones_are_not_there() throws Exception {
        String name = "culvert-test-abstract";
        try (NamespaceClaim _ =
                lab.node().space().call(() -> NamespaceClaim.take(name)).orElseThrow()) {
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
    void a_cache_of_names_that_the_machine_has_is_not_asked() {
        lab.run("sh", "-c", "mkdir /run/nscd; touch /run/nscd/socket").orFail();
        assertThat(exec("ls", "-A", "/run/nscd").orFail()).isEmpty();
        assertThat(lab.run("ls", "-A", "/run/nscd").orFail()).isEqualTo("socket\n");
        lab.run("rm", "-r", "/run/nscd").orFail();
    }

    @Test
    void the_list_says_who_is_in_it() {
        Child program = lab.start(arguments("sh", "-c", "echo pid $$; cat"));
        program.awaitLine("pid", ConfinementLab.SOON);
        assertThat(lab.culvert("netns", "list").orFail()).contains("wg0").contains("wg0.conf");
        assertThat(lab.culvert("netns", "list", "--json").orFail()).contains("\"state\":\"up\"");
        program.awaitExit(ConfinementLab.SOON);
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
