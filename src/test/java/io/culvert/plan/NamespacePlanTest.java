// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.nft.NftText;
import io.culvert.rtnl.Ipv6;
import io.culvert.rtnl.Route;
import java.net.InetAddress;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class NamespacePlanTest {

    private static NamespacePlan plan(String dns, String allowedIps, boolean ipv6, Port... inboundPorts) {
        return NamespacePlan.of(
                TunnelExamples.file("wg0", allowedIps, dns),
                TunnelExamples.machine(false),
                ResolvedNames.NONE,
                (_, _) -> OptionalInt.of(1500),
                ipv6 ? Ipv6.ENABLED : Ipv6.ABSENT,
                OptionalInt.empty(),
                List.of(inboundPorts));
    }

    private static String text(NamespacePlan plan) {
        return NftText.of(plan.ruleset());
    }

    @Test
    void both_families_and_dns_queries_use_the_tunnel() {
        NamespacePlan plan = plan("DNS = 10.64.0.1, example", "0.0.0.0/0, ::/0", true);

        assertThat(plan.mtu()).isEqualTo(1420);
        assertThat(plan.inside().routes())
                .containsExactly(
                        Route.through("wg0", Prefix.parse("0.0.0.0/0"), Route.MAIN),
                        Route.through("wg0", Prefix.parse("::/0"), Route.MAIN));
        assertThat(plan.resolvers()).containsExactly(Prefix.parseAddress("10.64.0.1"));
        assertThat(plan.searchDomains()).containsExactly("example");
        assertThat(text(plan))
                .contains("ip daddr != 10.64.0.1 meta l4proto { tcp, udp } th dport 53 dnat ip to 10.64.0.1")
                .contains("meta nfproto ipv6 meta l4proto { tcp, udp } th dport 53 reject")
                .doesNotContain("allowed inbound");
    }

    @Test
    void without_ipv6_in_the_namespace_there_are_no_ipv6_addresses_and_routes() {
        NamespacePlan plan = plan("DNS = 10.64.0.1", "0.0.0.0/0, ::/0", false);

        assertThat(plan.inside().addresses()).hasSize(1);
        assertThat(plan.inside().routes()).hasSize(1);
    }

    @Test
    void dns_servers_outside_allowed_ips_are_not_used() {
        assertThat(plan("", "0.0.0.0/0", true).resolvers())
                .extracting(InetAddress::getHostAddress)
                .containsExactly("9.9.9.9");
        assertThat(plan("DNS = 192.0.2.53", "10.64.0.0/24", true).resolvers()).isEmpty();
    }

    @Test
    void only_inbound_ports_are_accepted() {
        assertThat(text(plan("", "0.0.0.0/0", true, new Port(8080, Transport.TCP), new Port(53, Transport.UDP))))
                .contains("tcp dport 8080")
                .contains("udp dport 53");
    }
}
