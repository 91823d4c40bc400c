package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import io.culvert.network.Ipv6;
import io.culvert.network.Route;
import io.culvert.nft.NftText;
import java.net.InetAddress;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ConfinementPlanTest {

    private static ConfinementPlan plan(String dns, String allowedIps, boolean ipv6, GuardInput.Port... admitted) {
        return ConfinementPlan.of(
                TunnelExamples.file("wg0", allowedIps, dns),
                TunnelExamples.machine(false),
                Names.NONE,
                (_, _) -> OptionalInt.of(1500),
                ipv6 ? Ipv6.EVERYWHERE : Ipv6.ABSENT,
                OptionalInt.empty(),
                List.of(admitted));
    }

    private static String text(ConfinementPlan plan) {
        return NftText.of(plan.guard());
    }

    @Test
    void both_families_go_into_the_tunnel_and_questions_to_its_resolver() {
        ConfinementPlan plan = plan("DNS = 10.64.0.1, example", "0.0.0.0/0, ::/0", true);

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
    void without_ipv6_inside_its_addresses_and_routes_are_left_out() {
        ConfinementPlan plan = plan("DNS = 10.64.0.1", "0.0.0.0/0, ::/0", false);

        assertThat(plan.inside().addresses()).hasSize(1);
        assertThat(plan.inside().routes()).hasSize(1);
    }

    @Test
    void resolvers_that_the_tunnel_does_not_lead_to_are_none() {
        assertThat(plan("", "0.0.0.0/0", true).resolvers())
                .extracting(InetAddress::getHostAddress)
                .containsExactly("9.9.9.9");
        assertThat(plan("DNS = 192.0.2.53", "10.64.0.0/24", true).resolvers()).isEmpty();
    }

    @Test
    void only_admitted_ports_answer() {
        assertThat(text(plan(
                        "",
                        "0.0.0.0/0",
                        true,
                        new GuardInput.Port(Transport.TCP, 8080),
                        new GuardInput.Port(Transport.UDP, 53))))
                .contains("tcp dport 8080")
                .contains("udp dport 53");
    }
}
