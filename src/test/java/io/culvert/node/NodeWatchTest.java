package io.culvert.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Node;
import io.culvert.lab.Outcome;
import io.culvert.lab.Probe;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A managed node, as in a service: it reverts external changes, follows its file, and leaves nothing behind. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class NodeWatchTest {

    private static final Duration SOON = Duration.ofSeconds(60);

    private final Lab lab = Lab.open();
    private final Node node = lab.node().in(Box.MACHINE);
    private final String text =
            lab.client().networkFile(node.file("exit.key", lab.client().nodeKey() + "\n"));
    private final String file = node.file("network.yaml", text);

    @AfterEach
    void close_lab() {
        lab.close();
    }

    private Outcome mesh(String... arguments) {
        String[] all = new String[arguments.length + 1];
        all[0] = "mesh";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return node.run(Map.of(), all);
    }

    private Child keep() {
        Child culvert = node.start(Map.of(), "mesh", "up", "exit", "--watch", "--file", file);
        culvert.awaitLine("mesh: exit is up \\(managed\\)", SOON);
        return culvert;
    }

    private String footprint() {
        return node.space().run("ip", "-o", "link").replaceAll("(?m)^\\d+: |qdisc \\S+", "")
                + node.space()
                        .run("ip", "-o", "addr", "show", "scope", "global")
                        .replaceAll("(?m)^\\d+: ", "")
                + node.space().run("ip", "-4", "route", "show", "table", "all")
                + node.space().run("ip", "rule")
                + node.space().run("nft", "list", "ruleset")
                + node.attempt("cat", "/etc/hosts").out()
                + node.attempt("find", "/run", "-name", "*.sock").out();
    }

    @Test
    void whatever_is_taken_away_comes_back_and_the_end_leaves_nothing() {
        node.space().run("sysctl", "-q", "net.ipv4.ip_forward=0", "net.ipv6.conf.all.forwarding=0");
        assertThat(mesh("diff", "exit", "--file", file).status()).isEqualTo(1);
        String before = footprint();
        Child culvert = keep();
        assertThat(mesh("diff", "exit", "--file", file).out()).isBlank();
        assertThat(node.attempt("cat", "/etc/hosts").out()).contains("phone.home phone");
        assertThat(mesh("status").out())
                .contains("exit (managed)")
                .contains("home, port")
                .contains("phone");
        assertThat(mesh("up", "exit", "--file", file).err()).contains("another process manages this node");

        culvert.fromNow();
        node.space().run("nft", "flush", "ruleset");
        culvert.awaitLine("mesh: applied: nft table", SOON);
        culvert.fromNow();
        node.space().run("ip", "address", "flush", "dev", "home");
        culvert.awaitLine("mesh: applied: ip", SOON);
        culvert.fromNow();
        node.space().run("ip", "link", "delete", "home");
        culvert.awaitLine("mesh: applied: wg", SOON);
        lab.client().useExitNode();
        assertThat(Probe.from(lab.client().space()).whoami(Family.IPV4)).contains(Lab.NODE_4);

        culvert.signal("TERM");
        assertThat(culvert.awaitExit(SOON)).isZero();
        assertThat(footprint()).isEqualTo(before);
        assertThat(node.space().run("sysctl", "-n", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"))
                .isEqualTo("0\n0\n");
        assertThat(mesh("status", "exit").status()).isEqualTo(1);
    }

    @Test
    void a_changed_file_is_followed_and_a_wrong_one_changes_nothing() {
        Child culvert = keep();
        node.file("network.yaml", text.replace("name: phone", "nmae: phone"));
        culvert.awaitLine("network.yaml:\\d+", SOON);
        assertThat(node.attempt("cat", "/etc/hosts").out()).contains("phone.home phone");

        node.file("network.yaml", text.replace("name: phone", "name: tablet"));

        culvert.awaitLine("has changed", SOON);
        culvert.awaitLine("mesh: applied: .*hosts", SOON);
        assertThat(node.attempt("cat", "/etc/hosts").out())
                .contains("tablet.home tablet")
                .doesNotContain("phone");
    }

    @Test
    void after_a_sigkill_the_next_start_takes_over_and_down_needs_no_file() {
        String before = footprint();
        Child culvert = keep();
        String index =
                node.space().run("ip", "-o", "link", "show", "dev", "home").split(":", 2)[0];
        culvert.kill();
        assertThat(mesh("status").out()).contains("exit (not managed");

        assertThat(mesh("up", "exit", "--file", file).err()).contains("mesh: exit is up (unchanged)");
        assertThat(node.space().run("ip", "-o", "link", "show", "dev", "home")).startsWith(index + ":");
        assertThat(mesh("down", "exit").err()).contains("mesh: exit is down");

        assertThat(footprint().replace("/run/culvert/mesh/exit.sock\n", "")).isEqualTo(before);
        assertThat(mesh("down", "exit").err()).contains("mesh: exit was not up");
    }
}
