// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.ProblemException;
import io.culvert.nft.KernelRuleset;
import io.culvert.packetpath.PlannedNamespace;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.plan.PlanExamples;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PacketQueryTest {

    private static PacketExplanation explain(String packet) {
        ExitNodeInputs inputs = PlanExamples.inputsOf("tailscale");
        ExitNodePlan plan = ExitNodePlanner.plan(inputs);
        PlannedNamespace namespace = PlannedNamespace.of(plan);
        return PacketExplanation.of(
                PacketQuery.parse(packet),
                namespace.routing(),
                new KernelRuleset(Optional.empty(), namespace.tables(), List.of()),
                Promise.of(AuditedExamples.promiseInputs(inputs, plan)));
    }

    @Test
    void a_malformed_packet_is_refused_with_what_is_wrong() {
        Map.of(
                        "local tcp", "a destination is missing",
                        "from tcp", "a protocol is missing",
                        "sctp 203.0.113.9", "'sctp' is not a protocol",
                        "tcp 203.0.113.9:0", "'203.0.113.9:0' has no valid port",
                        "tcp example.com:443", "'example.com' is not an IP address",
                        "udp [2001:db8::9]:53 from 192.0.2.1",
                                "source and destination are of different address families",
                        "udp 203.0.113.9:53 mark x", "'x' is not a mark",
                        "udp 203.0.113.9:53 quickly", "'quickly' is not known")
                .forEach((packet, message) -> assertThatThrownBy(() -> PacketQuery.parse(packet))
                        .as(packet)
                        .isInstanceOf(ProblemException.class)
                        .hasMessageContaining(message));
    }

    @Test
    void a_packet_of_a_program_leaves_by_the_tunnel() {
        PacketExplanation explanation = explain("tcp 203.0.113.9:443");

        assertThat(explanation.isAllowed()).isTrue();
        assertThat(explanation.result()).containsExactly("leaves by wg0, inside");
        assertThat(explanation.path())
                .anyMatch(step -> step.contains("rule pref 5330"))
                .anyMatch(step -> step.contains("\"to the tunnel, postrouting\""));
    }

    @Test
    void a_packet_with_the_tunnels_mark_but_not_to_the_server_does_not_leave() {
        PacketExplanation explanation = explain("local tcp 203.0.113.9:443 mark 0x51000000");

        assertThat(explanation.result()).containsExactly("does not leave");
        assertThat(explanation.path()).last().asString().contains("\"rejected on the uplink\", blocks");
    }

    @Test
    void what_leaves_by_the_uplink_is_explained_by_the_setting() {
        assertThat(explain("udp 192.168.7.9:7 from 192.168.7.2").result())
                .singleElement()
                .asString()
                .contains("leaves by eth0, allowed as: local networks 192.168.7.0/24");
    }

    @Test
    void a_packet_of_an_exit_node_client_is_followed_too() {
        assertThat(explain("from tailscale0 tcp 192.168.7.9:80 from 100.64.0.2").result())
                .singleElement()
                .asString()
                .contains("leaves by eth0, allowed as: subnets 192.168.7.0/24 by the tailnet");
        assertThat(explain("from eth0 tcp 203.0.113.9:80 from 192.168.7.9").result())
                .containsExactly("does not leave");
    }

    @Test
    void a_link_that_does_not_exist_is_refused() {
        assertThatThrownBy(() -> explain("from eth9 tcp 203.0.113.9:80"))
                .hasMessageContaining("there is no link 'eth9'");
    }
}
