// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNode;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A managed node, as in a service: it reverts external changes, follows its file, and leaves nothing behind. */
@NamespaceTest
class NodeWatchTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final Lab lab = Lab.open();
    private final LabNode node = lab.node().in(Sandbox.MACHINE);
    private final String text =
            lab.client().networkFile(node.file("exit.key", lab.client().nodeKey() + "\n"));
    private final String file = node.file("network.yaml", text);

    @AfterEach
    void close_lab() {
        lab.close();
    }

    private CommandResult mesh(String... arguments) {
        String[] all = new String[arguments.length + 1];
        all[0] = "mesh";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return node.run(Map.of(), all);
    }

    private RunningProgram startManaged() {
        RunningProgram culvert = node.start(Map.of(), "mesh", "up", "exit", "--watch", "--file", file);
        culvert.awaitLine("mesh: exit is up \\(managed\\)", TIMEOUT);
        return culvert;
    }

    private String footprint() {
        return node.namespace().run("ip", "-o", "link").replaceAll("(?m)^\\d+: |qdisc \\S+", "")
                + node.namespace()
                        .run("ip", "-o", "addr", "show", "scope", "global")
                        .replaceAll("(?m)^\\d+: ", "")
                + node.namespace().run("ip", "-4", "route", "show", "table", "all")
                + node.namespace().run("ip", "rule")
                + node.namespace().run("nft", "list", "ruleset")
                + node.attempt("cat", "/etc/hosts").out()
                + node.attempt("find", "/run", "-name", "*.sock").out();
    }

    @Test
    void external_changes_are_reverted_and_a_stop_removes_everything() {
        node.namespace().run("sysctl", "-q", "net.ipv4.ip_forward=0", "net.ipv6.conf.all.forwarding=0");
        assertThat(mesh("diff", "exit", "--file", file).status()).isEqualTo(1);
        String before = footprint();
        RunningProgram culvert = startManaged();
        assertThat(mesh("diff", "exit", "--file", file).out()).isBlank();
        assertThat(node.attempt("cat", "/etc/hosts").out()).contains("phone.home phone");
        assertThat(mesh("status").out())
                .contains("exit (managed)")
                .contains("home, port")
                .contains("phone");
        assertThat(mesh("up", "exit", "--file", file).err()).contains("another process manages this node");

        culvert.ignoreEarlierOutput();
        node.namespace().run("nft", "flush", "ruleset");
        culvert.awaitLine("mesh: applied: nft table", TIMEOUT);
        culvert.ignoreEarlierOutput();
        node.namespace().run("ip", "address", "flush", "dev", "home");
        culvert.awaitLine("mesh: applied: ip", TIMEOUT);
        culvert.ignoreEarlierOutput();
        node.namespace().run("ip", "link", "delete", "home");
        culvert.awaitLine("mesh: applied: wg", TIMEOUT);
        lab.client().useExitNode();
        assertThat(Probe.from(lab.client().namespace()).whoami(Family.IPV4)).contains(Lab.NODE_IPV4);

        culvert.signal("TERM");
        assertThat(culvert.awaitExit(TIMEOUT)).isZero();
        assertThat(footprint()).isEqualTo(before);
        assertThat(node.namespace().run("sysctl", "-n", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"))
                .isEqualTo("0\n0\n");
        assertThat(mesh("status", "exit").status()).isEqualTo(1);
    }

    @Test
    void a_changed_file_is_applied_and_an_invalid_one_changes_nothing() {
        RunningProgram culvert = startManaged();
        node.file("network.yaml", text.replace("name: phone", "nmae: phone"));
        culvert.awaitLine("network.yaml:\\d+", TIMEOUT);
        assertThat(node.attempt("cat", "/etc/hosts").out()).contains("phone.home phone");

        node.file("network.yaml", text.replace("name: phone", "name: tablet"));

        culvert.awaitLine("has changed", TIMEOUT);
        culvert.awaitLine("mesh: applied: .*hosts", TIMEOUT);
        assertThat(node.attempt("cat", "/etc/hosts").out())
                .contains("tablet.home tablet")
                .doesNotContain("phone");
    }

    @Test
    void after_a_sigkill_the_next_start_adopts_the_node_and_down_needs_no_file() {
        String before = footprint();
        RunningProgram culvert = startManaged();
        String index =
                node.namespace().run("ip", "-o", "link", "show", "dev", "home").split(":", 2)[0];
        culvert.kill();
        assertThat(mesh("status").out()).contains("exit (not managed");

        assertThat(mesh("up", "exit", "--file", file).err()).contains("mesh: exit is up (unchanged)");
        assertThat(node.namespace().run("ip", "-o", "link", "show", "dev", "home"))
                .startsWith(index + ":");
        assertThat(mesh("down", "exit").err()).contains("mesh: exit is down");

        assertThat(footprint().replace("/run/culvert/mesh/exit.sock\n", "")).isEqualTo(before);
        assertThat(mesh("down", "exit").err()).contains("mesh: exit was not up");
    }
}
