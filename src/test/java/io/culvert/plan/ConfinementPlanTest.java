package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import io.culvert.network.Machine;
import io.culvert.network.Route;
import io.culvert.network.Uplink;
import io.culvert.nft.NftText;
import io.culvert.wireguard.WireGuardConfig;
import io.culvert.wireguard.WireGuardFile;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ConfinementPlanTest {

    private static final Machine MACHINE = new Machine(
            Map.of(
                    Family.IPV4,
                    new Uplink(
                            "eth0",
                            Optional.of(Prefix.parseAddress("192.0.2.1")),
                            List.of(Prefix.parse("192.0.2.10/24")),
                            1500)),
            List.of(),
            Set.of("lo", "eth0"),
            true,
            false,
            Set.of(),
            true,
            true,
            true,
            false);

    @TempDir
    Path directory;

    private ConfinementPlan plan(String dns, String allowedIps, boolean ipv6, GuardInput.Port... admitted)
            throws IOException {
        Path file = Files.writeString(directory.resolve("wg0.conf"), """
                [Interface]
                PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
                Address = 10.64.0.2/32, fd00:64::2/128
                %s
                [Peer]
                PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                AllowedIPs = %s
                Endpoint = 203.0.113.10:51820
                """.formatted(dns, allowedIps));
        WireGuardConfig config = WireGuardFile.read(file).config().orElseThrow();
        return ConfinementPlan.of(config, MACHINE, Names.NONE, (_, _) -> OptionalInt.of(1500), ipv6, List.of(admitted));
    }

    private static String text(ConfinementPlan plan) {
        return NftText.of(plan.guard());
    }

    @Test
    void both_families_go_into_the_tunnel_and_questions_to_its_resolver() throws IOException {
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
                .doesNotContain("admitted");
    }

    @Test
    void without_ipv6_inside_its_addresses_and_routes_are_left_out() throws IOException {
        ConfinementPlan plan = plan("DNS = 10.64.0.1", "0.0.0.0/0, ::/0", false);

        assertThat(plan.inside().addresses()).hasSize(1);
        assertThat(plan.inside().routes()).hasSize(1);
    }

    @Test
    void resolvers_that_the_tunnel_does_not_lead_to_are_none() throws IOException {
        assertThat(plan("", "0.0.0.0/0", true).resolvers())
                .extracting(InetAddress::getHostAddress)
                .containsExactly("9.9.9.9");
        assertThat(plan("DNS = 192.0.2.53", "10.64.0.0/24", true).resolvers()).isEmpty();
    }

    @Test
    void only_admitted_ports_answer() throws IOException {
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
