// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import io.culvert.status.StatusReport.State;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The audit of a namespace by the command, and by the running exit node itself. */
@NamespaceTest
class NodeAuditTest {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private void nft(String... words) {
        String[] command = new String[words.length + 1];
        command[0] = "nft";
        System.arraycopy(words, 0, command, 1, words.length);
        fixture.namespace().run(command);
    }

    @Test
    void nothing_but_what_the_settings_allow_passes_a_running_exit_node() {
        Map<String, String> settings =
                fixture.settings(Map.of("CULVERT_BYPASS", "198.51.100.2:8080/tcp", "CULVERT_PUBLISH", "8080"));
        fixture.connect(settings);

        CommandResult audit = fixture.run(settings, "audit");

        assertThat(audit.status()).as(audit.out() + audit.err()).isZero();
        assertThat(audit.out())
                .contains("By eth0, local processes may send:", "bypasses 198.51.100.2:8080/tcp", "WireGuard to ")
                .contains("published ports 8080/tcp", "Nothing else may leave.", "those of the running exit node");
        assertThat(fixture.run(settings, "audit", "--json").out()).contains("\"clean\":true");
        assertThat(fixture.run(settings, "audit", "--packet", "tcp 198.51.100.10:443")
                        .out())
                .contains("=> leaves by wg0, inside");
    }

    @Test
    void without_a_kill_switch_the_audit_names_packets_that_really_leave() {
        Map<String, String> settings = ExitNodeFixture.withoutMesh(Map.of());
        fixture.verifyObserverDetectsLeaks(Family.values());

        CommandResult audit = fixture.run(settings, "audit");

        assertThat(audit.status()).as(audit.out() + audit.err()).isEqualTo(1);
        assertThat(audit.out())
                .contains(
                        "may leave by eth0: TCP from " + Lab.NODE_IPV4,
                        "may leave by eth0: TCP from [" + Lab.NODE_IPV6);
    }

    @Test
    void a_running_exit_node_blocks_what_a_foreign_rule_would_let_out_and_recovers() {
        Map<String, String> settings = ExitNodeFixture.withoutMesh(Map.of());
        RunningProgram culvert = fixture.connect(settings);
        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
        culvert.ignoreEarlierOutput();

        // Queries of all programs to the container's own resolver get the mark of our own ones.
        nft("add table ip other { chain c { type route hook output priority -310; }; }");
        nft("add rule ip other c ip daddr " + Lab.RESOLVER_IPV4 + " udp dport 53 meta mark set 0x51000000");

        culvert.awaitLine("may leave by eth0: UDP .* to " + Lab.RESOLVER_IPV4 + ":53", ExitNodeFixture.TIMEOUT);
        assertThat(fixture.status().state()).isEqualTo(State.BLOCKED);
        assertThat(fixture.status().problems()).anyMatch(problem -> problem.startsWith("audit: may leave by eth0"));
        assertThat(fixture.run(settings, "health").status()).isEqualTo(1);
        CommandResult audit = fixture.run(settings, "audit");
        assertThat(audit.status()).isEqualTo(1);
        assertThat(audit.out()).contains("The exit node blocks all traffic");
        fixture.assertLocalTrafficBlocked(Family.values());

        nft("delete table ip other");

        culvert.awaitLine("audit: nothing may leave any more", ExitNodeFixture.TIMEOUT);
        culvert.awaitLine("connected to|kill switch", ExitNodeFixture.TIMEOUT);
        assertThat(fixture.run(settings, "health", "--wait", "30").status()).isZero();
        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
    }
}
