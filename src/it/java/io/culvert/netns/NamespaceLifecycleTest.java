// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.KernelTest;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Observer;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The life cycle of a namespace, from its first program to its last one, and of its tunnel. */
@NamespaceTest
class NamespaceLifecycleTest {

    private static final String[] PRINT_PUBLIC_ADDRESS = {"curl", "-s", "--max-time", "5", "http://198.51.100.10/"};

    /** Sends requests until there is a response. */
    private static final String RETRY_UNTIL_ANSWERED =
            "until curl -s --max-time 5 http://198.51.100.10/; do :; done; echo; echo answered";

    private final ConfinementLab lab = new ConfinementLab(LabOptions.DEFAULTS);
    private final Provider provider = lab.lab().provider();
    private final String file = lab.file("wg0.conf", provider.file("provider0.example:" + Provider.PORT, "0.0.0.0/0"));
    private final Observer observer = lab.observe()
            .allow(
                    "questions for the server's name",
                    packet -> packet.destinationPort() == 53 && packet.payload().contains("provider0\7example"));
    private final String stateBefore = lab.machineState();

    @AfterEach
    void close() {
        lab.close();
    }

    private String[] exec(String... command) {
        return Stream.concat(Stream.of("exec", "--config", file, "--"), Arrays.stream(command))
                .toArray(String[]::new);
    }

    /** Starts a program that runs until the test ends it. */
    private RunningProgram startProgram(String lastCommand) {
        RunningProgram child = lab.start(
                exec("sh", "-c", RETRY_UNTIL_ANSWERED + "; " + ConfinementLab.AWAIT_CONTINUE + "; " + lastCommand));
        child.awaitLine("answered", ConfinementLab.TIMEOUT);
        return child;
    }

    /** Returns whether a port is reachable from the other end of the tunnel. */
    private boolean isReachable(int port) {
        return provider.namespace()
                        .attempt(
                                "timeout",
                                "5",
                                "bash",
                                "-c",
                                "exec 3<>/dev/tcp/" + provider.customerIpv4() + "/" + port)
                        .status()
                == 0;
    }

    @Test
    @KernelTest
    void a_program_uses_the_providers_address_with_kernel_or_userspace_wireguard() {
        boolean kernel =
                lab.run("ip", "link", "add", "probe", "type", "wireguard").status() == 0;
        lab.run("ip", "link", "delete", "probe");

        assertThat(lab.culvert(exec("sh", "-c", RETRY_UNTIL_ANSWERED + "; ip -d link show wg0"))
                        .outputOrFail())
                .contains(provider.publicIpv4())
                .contains(kernel ? "wireguard" : "tun ");
        lab.awaitDaemonExit();
        assertThat(lab.machineState()).isEqualTo(stateBefore);
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void the_first_program_creates_the_namespace_and_the_last_one_deletes_it() {
        RunningProgram first = startProgram("true");
        String namespace = lab.run(
                        "readlink",
                        "/proc/" + lab.pidsByCommandLine(ConfinementLab.DAEMON).getFirst() + "/ns/net")
                .outputOrFail();

        CommandResult second =
                lab.culvert(exec("sh", "-c", "readlink /proc/self/ns/net; " + String.join(" ", PRINT_PUBLIC_ADDRESS)));

        assertThat(second.outputOrFail()).contains(provider.publicIpv4()).doesNotContain(namespace.strip());
        assertThat(lab.pidsByCommandLine(ConfinementLab.DAEMON)).hasSize(1);
        CommandResult other = lab.culvert("exec", "--config", file, "--allow-inbound", "8080", "--", "true");
        assertThat(other.status()).isEqualTo(2);
        assertThat(other.err()).contains("is up with other options");
        CommandResult down = lab.culvert("netns", "down", "wg0");
        assertThat(down.status()).isEqualTo(2);
        assertThat(down.err()).contains("is in use by processes");

        lab.continueProgram();
        assertThat(first.awaitExit(ConfinementLab.TIMEOUT)).isZero();
        lab.awaitDaemonExit();
        assertThat(lab.machineState()).isEqualTo(stateBefore);
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void a_background_process_keeps_the_namespace_and_up_makes_it_persistent() {
        lab.culvert(exec("sh", "-c", "setsid sh -c '" + ConfinementLab.AWAIT_CONTINUE + "' >&- 2>&- &"))
                .outputOrFail();
        assertThat(lab.culvert("netns", "list").outputOrFail()).contains("until the last program exits");
        lab.culvert("netns", "up", "wg0", "--config", file).outputOrFail();
        assertThat(lab.culvert("netns", "list").outputOrFail()).doesNotContain("until the last program exits");
        lab.continueProgram();

        assertThat(lab.culvert("exec", "--netns", "wg0", "--", "curl", "-s", "http://www.example/")
                        .outputOrFail())
                .contains(provider.publicIpv4());
        lab.culvert("netns", "down", "wg0", "--force").outputOrFail();
        assertThat(lab.machineState()).isEqualTo(stateBefore);
        assertThat(lab.culvert("exec", "--netns", "wg0", "--", "true").err()).contains("is not up");
    }

    @Test
    void no_packet_leaks_while_the_tunnel_is_down_and_it_recovers() {
        assertThat(observer.sees(() -> lab.run(PRINT_PUBLIC_ADDRESS))).isTrue();
        RunningProgram program = startProgram(RETRY_UNTIL_ANSWERED);

        provider.stop();
        assertThat(lab.culvert(exec(PRINT_PUBLIC_ADDRESS)).status()).isNotZero();
        lab.culvert(exec(ConfinementLab.leakAttempts())).outputOrFail();
        assertThat(observer.leaks()).isEmpty();
        provider.start();

        lab.killByCommandLine(ConfinementLab.USERSPACE_WIREGUARD);
        lab.continueProgram();
        assertThat(program.awaitExit(ConfinementLab.TIMEOUT)).isZero();
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void a_server_that_stops_responding_where_it_roamed_to_is_found_at_its_endpoint() {
        observer.allow(
                "WireGuard to where the server responds from",
                packet -> packet.isUdpTo(provider.publicIpv4(), 51999) && packet.isWireGuard());
        RunningProgram program = startProgram("true");
        provider.respondFrom(provider.publicIpv4(), 51999);
        lab.culvert(exec("sh", "-c", RETRY_UNTIL_ANSWERED)).outputOrFail();
        assertThat(endpoints()).contains(":51999");

        provider.respondFromEndpoint();

        lab.start(exec("sh", "-c", RETRY_UNTIL_ANSWERED)).awaitLine("answered", ConfinementLab.TIMEOUT);
        assertThat(endpoints()).contains(":" + Provider.PORT).doesNotContain(":51999");
        lab.continueProgram();
        assertThat(program.awaitExit(ConfinementLab.TIMEOUT)).isZero();
        assertThat(observer.leaks()).isEmpty();
    }

    /** Returns the endpoint that the tunnel of the namespace sends to. */
    private String endpoints() {
        return lab.run("wg", "show", "all", "endpoints").outputOrFail()
                + lab.run("ip", "netns", "exec", "wg0", "wg", "show", "all", "endpoints")
                        .outputOrFail();
    }

    @Test
    void a_link_and_rules_deleted_inside_the_namespace_are_restored() {
        RunningProgram program = startProgram(RETRY_UNTIL_ANSWERED);
        lab.culvert(exec("sh", "-c", "nft flush ruleset; ip link delete wg0; exit 0"));

        lab.continueProgram();
        assertThat(program.awaitExit(ConfinementLab.TIMEOUT)).isZero();
        assertThat(observer.leaks()).isEmpty();
    }

    /** As in a new namespace with {@code net.core.devconf_inherit_init_net}, which only a whole kernel has. */
    @Test
    void ipv6_works_in_a_namespace_whose_new_links_have_none() {
        String dualStack = lab.file("wg0.conf", provider.file());
        lab.culvert("netns", "up", "wg0", "--config", dualStack).outputOrFail();

        lab.run("ip", "netns", "exec", "wg0", "sysctl", "-q", "net.ipv6.conf.default.disable_ipv6=1")
                .outputOrFail();
        lab.killByCommandLine(ConfinementLab.DAEMON);
        CommandResult up = lab.culvert("netns", "up", "wg0", "--config", dualStack);

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(lab.culvert(
                                "exec",
                                "--netns",
                                "wg0",
                                "--",
                                "curl",
                                "-s",
                                "-6",
                                "--max-time",
                                "30",
                                "http://www.example/")
                        .outputOrFail())
                .contains(provider.publicIpv6());
        lab.culvert("netns", "down", "wg0").outputOrFail();
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void a_killed_daemon_leaves_no_leak_and_the_next_run_adopts_the_namespace() {
        RunningProgram program = startProgram("true");
        lab.killByCommandLine(ConfinementLab.DAEMON);
        assertThat(lab.culvert("netns", "list").outputOrFail()).contains("abandoned");
        assertThat(observer.leaks()).isEmpty();

        assertThat(lab.culvert(exec(PRINT_PUBLIC_ADDRESS)).outputOrFail()).contains(provider.publicIpv4());
        assertThat(lab.pidsByCommandLine(ConfinementLab.USERSPACE_WIREGUARD)).hasSize(1);
        assertThat(program.isAlive()).isTrue();

        lab.killByCommandLine(ConfinementLab.DAEMON);
        lab.continueProgram();
        assertThat(program.awaitExit(ConfinementLab.TIMEOUT)).isZero();
        lab.culvert("netns", "down", "wg0").outputOrFail();
        assertThat(lab.machineState()).isEqualTo(stateBefore);
    }

    @Test
    void programs_are_reachable_on_inbound_ports_only_and_own_firewall_rules_are_added() {
        String rules = lab.file(
                "rules.nft",
                "table inet mine { chain out { type filter hook output priority 0;"
                        + " ip daddr 198.51.100.10 tcp dport 81 reject; }; }\n");
        lab.culvert("netns", "up", "in", "--config", file, "--allow-inbound", "80,7/udp", "--firewall", rules)
                .outputOrFail();

        String ruleset = lab.culvert("exec", "--netns", "in", "--", "nft", "list", "ruleset")
                .outputOrFail();

        assertThat(ruleset).contains("tcp dport 80 ").contains("udp dport 7 ").contains("table inet mine");
        try (RunningProgram admitted =
                        lab.start("exec", "--netns", "in", "--", "iperf3", "-s", "-p", "80", "--forceflush");
                RunningProgram closed =
                        lab.start("exec", "--netns", "in", "--", "iperf3", "-s", "-p", "81", "--forceflush")) {
            admitted.awaitLine("listening", ConfinementLab.TIMEOUT);
            closed.awaitLine("listening", ConfinementLab.TIMEOUT);
            lab.culvert("exec", "--netns", "in", "--", "sh", "-c", RETRY_UNTIL_ANSWERED)
                    .outputOrFail();
            assertThat(isReachable(80)).isTrue();
            assertThat(isReachable(81)).isFalse();
        }
        assertThat(lab.run("ip", "netns", "exec", "in", "ip", "-o", "link").outputOrFail())
                .contains("wg0");
        lab.culvert("netns", "down", "in").outputOrFail();
        assertThat(lab.machineState()).isEqualTo(stateBefore);
    }

    @Test
    void errors_are_reported_before_anything_is_changed() {
        assertThat(lab.culvert("exec", "--config", "/nowhere.conf", "--", "true"))
                .satisfies(outcome -> assertThat(outcome.status()).isEqualTo(2))
                .satisfies(outcome -> assertThat(outcome.err()).contains("/nowhere.conf"));
        assertThat(lab.culvert("exec", "--", "true"))
                .satisfies(outcome -> assertThat(outcome.status()).isEqualTo(2))
                .satisfies(outcome -> assertThat(outcome.err()).contains("add --config FILE"));
        String broken = lab.file("broken.nft", "table inet mine { chian }\n");
        assertThat(lab.culvert("exec", "--config", file, "--firewall", broken, "--", "true"))
                .satisfies(outcome -> assertThat(outcome.status()).isEqualTo(2))
                .satisfies(outcome -> assertThat(outcome.err()).contains("invalid nftables rules"));
        lab.awaitDaemonExit();
        assertThat(lab.machineState()).isEqualTo(stateBefore);

        lab.run("ip", "netns", "add", "wg0").outputOrFail();
        assertThat(lab.culvert(exec("true")))
                .satisfies(outcome -> assertThat(outcome.status()).isEqualTo(2))
                .satisfies(outcome -> assertThat(outcome.err()).contains("does not belong to Culvert"));
        assertThat(lab.run("ip", "netns", "list").outputOrFail()).contains("wg0");
    }

    @Test
    void a_foreground_daemon_keeps_the_namespace_until_sigterm() {
        RunningProgram service = lab.start("netns", "up", "--foreground", "--config", file, "wg0");
        service.awaitLine("wg0 is up", ConfinementLab.TIMEOUT);

        // As systemd does: the namespace by its path, the files by mounts.
        assertThat(lab.run(
                                "unshare",
                                "--mount",
                                "sh",
                                "-c",
                                "mount --bind /run/culvert/netns/wg0.resolv.conf /etc/resolv.conf;"
                                        + " exec nsenter --net=/run/netns/wg0 curl -s http://www.example/")
                        .outputOrFail())
                .contains(provider.publicIpv4());

        lab.run("kill", "-TERM", lab.pidsByCommandLine("--foreground").getLast().toString())
                .outputOrFail();
        assertThat(service.awaitExit(ConfinementLab.TIMEOUT)).isZero();
        assertThat(lab.machineState()).isEqualTo(stateBefore);
        assertThat(observer.leaks()).isEmpty();
    }

    /** Rejects DNS queries until {@link #startResolver}. */
    private void stopResolver() {
        lab.lab().router().nft("""
                table inet late {
                  chain both {
                    type filter hook forward priority 0;
                    udp dport 53 reject
                  }
                }
                """);
    }

    private void startResolver() {
        lab.lab().router().nft("delete table inet late");
    }

    @Test
    void a_resolver_that_responds_late_is_waited_for() {
        stopResolver();
        RunningProgram program = lab.start(exec("sh", "-c", RETRY_UNTIL_ANSWERED));
        program.awaitLine("dns: provider0.example cannot be resolved yet", ConfinementLab.TIMEOUT);

        startResolver();
        program.awaitLine("answered", ConfinementLab.TIMEOUT);

        assertThat(program.awaitExit(ConfinementLab.TIMEOUT)).isZero();
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void a_command_that_is_interrupted_while_it_waits_leaves_nothing_behind() {
        stopResolver();
        RunningProgram program = lab.start(exec("true"));
        program.awaitLine("dns: provider0.example cannot be resolved yet", ConfinementLab.TIMEOUT);

        program.signal("INT");

        assertThat(program.awaitExit(ConfinementLab.TIMEOUT)).isEqualTo(130);
        lab.awaitDaemonExit();
        startResolver();
        assertThat(lab.machineState()).isEqualTo(stateBefore);
    }

    @Test
    void a_name_that_does_not_exist_is_an_error_at_once() {
        String unknown = lab.file("wg1.conf", provider.file("nowhere.invalid:" + Provider.PORT, "0.0.0.0/0"));

        CommandResult result = lab.culvert("netns", "up", "vpn", "--config", unknown);

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("nowhere.invalid", "does not exist").doesNotContain("cannot be resolved yet");
        assertThat(lab.machineState()).isEqualTo(stateBefore);
    }
}
