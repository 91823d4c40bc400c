package io.culvert.confinement;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Child;
import io.culvert.lab.Observer;
import io.culvert.lab.Outcome;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The life cycle of a namespace, from its first program to its last one, and of its tunnel. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ConfinementLifeTest {

    private static final String[] WHO = {"curl", "-s", "--max-time", "5", "http://198.51.100.10/"};

    /** Sends requests until there is a response. */
    private static final String ASKING =
            "until curl -s --max-time 5 http://198.51.100.10/; do :; done; echo; echo answered";

    private final ConfinementLab lab = new ConfinementLab(Shape.USUAL);
    private final Provider provider = lab.lab().provider();
    private final String file = lab.file("wg0.conf", provider.file("provider0.example:" + Provider.PORT, "0.0.0.0/0"));
    private final Observer observer = lab.observe()
            .allow(
                    "questions for the server's name",
                    packet -> packet.destinationPort() == 53 && packet.payload().contains("provider0\7example"));
    private final String before = lab.everything();

    @AfterEach
    void close() {
        lab.close();
    }

    private String[] exec(String... command) {
        return Stream.concat(Stream.of("exec", "--config", file, "--"), Arrays.stream(command))
                .toArray(String[]::new);
    }

    /** Starts a program that runs until the test ends it. */
    private Child resident(String then) {
        Child child = lab.start(exec("sh", "-c", ASKING + "; " + ConfinementLab.AWAIT_LEAVE + "; " + then));
        child.awaitLine("answered", ConfinementLab.SOON);
        return child;
    }

    /** Returns whether a port is reachable from the other end of the tunnel. */
    private boolean connected(int port) {
        return provider.space()
                        .attempt("timeout", "5", "bash", "-c", "exec 3<>/dev/tcp/" + provider.customer4() + "/" + port)
                        .status()
                == 0;
    }

    @Test
    @Tag("kernel")
    void a_program_seems_to_be_at_the_provider_whoever_makes_the_tunnel() {
        boolean kernel =
                lab.run("ip", "link", "add", "probe", "type", "wireguard").status() == 0;
        lab.run("ip", "link", "delete", "probe");

        assertThat(lab.culvert(exec("sh", "-c", ASKING + "; ip -d link show wg0"))
                        .orFail())
                .contains(provider.outer4())
                .contains(kernel ? "wireguard" : "tun ");
        lab.awaitNoKeeper();
        assertThat(lab.everything()).isEqualTo(before);
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void the_first_makes_it_the_others_share_it_and_the_last_takes_it_down() {
        Child first = resident("true");
        String space = lab.run(
                        "readlink", "/proc/" + lab.pids(ConfinementLab.KEEPER).getFirst() + "/ns/net")
                .orFail();

        Outcome second = lab.culvert(exec("sh", "-c", "readlink /proc/self/ns/net; " + String.join(" ", WHO)));

        assertThat(second.orFail()).contains(provider.outer4()).doesNotContain(space.strip());
        assertThat(lab.pids(ConfinementLab.KEEPER)).hasSize(1);
        Outcome other = lab.culvert("exec", "--config", file, "--allow-inbound", "8080", "--", "true");
        assertThat(other.status()).isEqualTo(2);
        assertThat(other.err()).contains("is up with other options");
        Outcome down = lab.culvert("netns", "down", "wg0");
        assertThat(down.status()).isEqualTo(2);
        assertThat(down.err()).contains("is in use by processes");

        lab.leave();
        assertThat(first.awaitExit(ConfinementLab.SOON)).isZero();
        lab.awaitNoKeeper();
        assertThat(lab.everything()).isEqualTo(before);
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void a_process_in_the_background_counts_and_up_makes_it_stay() {
        lab.culvert(exec("sh", "-c", "setsid sh -c '" + ConfinementLab.AWAIT_LEAVE + "' >&- 2>&- &"))
                .orFail();
        assertThat(lab.culvert("netns", "list").orFail()).contains("until the last program exits");
        lab.culvert("netns", "up", "wg0", "--config", file).orFail();
        assertThat(lab.culvert("netns", "list").orFail()).doesNotContain("until the last program exits");
        lab.leave();

        assertThat(lab.culvert("exec", "--netns", "wg0", "--", "curl", "-s", "http://www.example/")
                        .orFail())
                .contains(provider.outer4());
        lab.culvert("netns", "down", "wg0", "--force").orFail();
        assertThat(lab.everything()).isEqualTo(before);
        assertThat(lab.culvert("exec", "--netns", "wg0", "--", "true").err()).contains("is not up");
    }

    @Test
    void nothing_leaves_when_the_tunnel_dies_under_it_and_it_comes_back() {
        assertThat(observer.sees(() -> lab.run(WHO))).isTrue();
        Child program = resident(ASKING);

        provider.die();
        assertThat(lab.culvert(exec(WHO)).status()).isNotZero();
        lab.culvert(exec(ConfinementLab.escape())).orFail();
        assertThat(observer.leaks()).isEmpty();
        provider.live();

        lab.kill(ConfinementLab.WIREGUARD);
        lab.leave();
        assertThat(program.awaitExit(ConfinementLab.SOON)).isZero();
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void whoever_takes_its_link_or_its_rules_away_inside_gets_them_back() {
        Child program = resident(ASKING);
        lab.culvert(exec("sh", "-c", "nft flush ruleset; ip link delete wg0; exit 0"));

        lab.leave();
        assertThat(program.awaitExit(ConfinementLab.SOON)).isZero();
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void a_killed_keeper_leaves_nothing_that_leads_out_and_the_next_run_takes_it_up() {
        Child program = resident("true");
        lab.kill(ConfinementLab.KEEPER);
        assertThat(lab.culvert("netns", "list").orFail()).contains("abandoned");
        assertThat(observer.leaks()).isEmpty();

        assertThat(lab.culvert(exec(WHO)).orFail()).contains(provider.outer4());
        assertThat(lab.pids(ConfinementLab.WIREGUARD)).hasSize(1);
        assertThat(program.isAlive()).isTrue();

        lab.kill(ConfinementLab.KEEPER);
        lab.leave();
        assertThat(program.awaitExit(ConfinementLab.SOON)).isZero();
        lab.culvert("netns", "down", "wg0").orFail();
        assertThat(lab.everything()).isEqualTo(before);
    }

    @Test
    void programs_inside_answer_on_admitted_ports_and_own_rules_come_on_top() {
        String rules = lab.file(
                "rules.nft",
                "table inet mine { chain out { type filter hook output priority 0;"
                        + " ip daddr 198.51.100.10 tcp dport 81 reject; }; }\n");
        lab.culvert("netns", "up", "in", "--config", file, "--allow-inbound", "80,7/udp", "--firewall", rules)
                .orFail();

        String ruleset = lab.culvert("exec", "--netns", "in", "--", "nft", "list", "ruleset")
                .orFail();

        assertThat(ruleset).contains("tcp dport 80 ").contains("udp dport 7 ").contains("table inet mine");
        try (Child admitted = lab.start("exec", "--netns", "in", "--", "iperf3", "-s", "-p", "80", "--forceflush");
                Child closed = lab.start("exec", "--netns", "in", "--", "iperf3", "-s", "-p", "81", "--forceflush")) {
            admitted.awaitLine("listening", ConfinementLab.SOON);
            closed.awaitLine("listening", ConfinementLab.SOON);
            lab.culvert("exec", "--netns", "in", "--", "sh", "-c", ASKING).orFail();
            assertThat(connected(80)).isTrue();
            assertThat(connected(81)).isFalse();
        }
        assertThat(lab.run("ip", "netns", "exec", "in", "ip", "-o", "link").orFail())
                .contains("wg0");
        lab.culvert("netns", "down", "in").orFail();
        assertThat(lab.everything()).isEqualTo(before);
    }

    @Test
    void what_is_wrong_is_said_before_anything_is_changed() {
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
        lab.awaitNoKeeper();
        assertThat(lab.everything()).isEqualTo(before);

        lab.run("ip", "netns", "add", "wg0").orFail();
        assertThat(lab.culvert(exec("true")))
                .satisfies(outcome -> assertThat(outcome.status()).isEqualTo(2))
                .satisfies(outcome -> assertThat(outcome.err()).contains("does not belong to Culvert"));
        assertThat(lab.run("ip", "netns", "list").orFail()).contains("wg0");
    }

    @Test
    void a_service_keeps_it_in_the_foreground_until_it_is_told_to_end() {
        Child service = lab.start("netns", "up", "--foreground", "--config", file, "wg0");
        service.awaitLine("wg0 is up", ConfinementLab.SOON);

        // As systemd does: the namespace by its path, the files by mounts.
        assertThat(lab.run(
                                "unshare",
                                "--mount",
                                "sh",
                                "-c",
                                "mount --bind /run/culvert/netns/wg0.resolv.conf /etc/resolv.conf;"
                                        + " exec nsenter --net=/run/netns/wg0 curl -s http://www.example/")
                        .orFail())
                .contains(provider.outer4());

        lab.run("kill", "-TERM", lab.pids("--foreground").getLast().toString()).orFail();
        assertThat(service.awaitExit(ConfinementLab.SOON)).isZero();
        assertThat(lab.everything()).isEqualTo(before);
        assertThat(observer.leaks()).isEmpty();
    }
}
