package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.device.DeviceConfig;
import io.culvert.ip.Endpoint;
import io.culvert.ip.Family;
import io.culvert.ip.Host;
import io.culvert.wireguard.WireGuardConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class DevicePlanTest {

    private static final Predicate<InetAddress> BOTH = reaches(Family.values());
    private static final WireGuardConfig NAMED =
            PlanExamples.config(PlanExamples.file("10.64.0.2/32", "0.0.0.0/0", "", "vpn.example.net:51820"));
    private static final Names KNOWN =
            new Names(Map.of(new Host.Name("vpn.example.net"), PlanExamples.addresses("2001:db8::10", "192.0.2.10")));

    @Test
    void a_name_that_is_not_known_leaves_the_peer_without_an_endpoint() {
        DeviceConfig device = DevicePlan.of(NAMED, 7, Names.NONE, BOTH, 25);

        assertThat(device.mark()).isEqualTo(7);
        assertThat(device.peers().getFirst().endpoint()).isEmpty();
        assertThat(DevicePlan.endpointFamily(device)).isEmpty();
    }

    @Test
    void a_server_that_cannot_be_reached_yet_gets_no_packets_and_a_peer_of_a_mesh_may_come_to_us() {
        assertThat(DevicePlan.of(NAMED, 7, Names.NONE, BOTH, 25)
                        .peers()
                        .getFirst()
                        .allowedIps())
                .isEmpty();
        assertThat(DevicePlan.of(NAMED, 7, KNOWN, reaches(), 25)
                        .peers()
                        .getFirst()
                        .allowedIps())
                .isEmpty();
        assertThat(DevicePlan.of(NAMED, 7, KNOWN, BOTH, 25).peers().getFirst().allowedIps())
                .isNotEmpty();
        assertThat(DevicePlan.of(NAMED, 7, Names.NONE, BOTH, 0)
                        .peers()
                        .getFirst()
                        .allowedIps())
                .isNotEmpty();
    }

    @Test
    void the_resolvers_order_counts_where_the_machine_has_both_families() {
        assertThat(endpoint(DevicePlan.of(NAMED, 7, KNOWN, BOTH, 25))).isEqualTo("[2001:db8::10]:51820");
    }

    @Test
    void only_a_family_with_an_uplink_leads_to_the_server() {
        DeviceConfig device = DevicePlan.of(NAMED, 7, KNOWN, reaches(Family.IPV4), 25);

        assertThat(endpoint(device)).isEqualTo("192.0.2.10:51820");
        assertThat(DevicePlan.endpointFamily(device)).contains(Family.IPV4);
        assertThat(DevicePlan.of(NAMED, 7, KNOWN, reaches(), 25)
                        .peers()
                        .getFirst()
                        .endpoint())
                .isEmpty();
    }

    @Test
    void an_address_needs_no_resolver() {
        WireGuardConfig literal =
                PlanExamples.config(PlanExamples.file("10.64.0.2/32", "0.0.0.0/0", "", "[2001:db8::5]:1"));

        assertThat(endpoint(DevicePlan.of(literal, 7, Names.NONE, BOTH, 25))).isEqualTo("[2001:db8::5]:1");
    }

    @Test
    void a_dead_server_is_noticed_because_we_keep_talking_to_it_and_clients_are_left_in_peace() {
        WireGuardConfig clients = PlanExamples.dualStack().meshes().getFirst().file();

        assertThat(DevicePlan.of(NAMED, 7, KNOWN, BOTH, 25).peers().getFirst().keepaliveSeconds())
                .isEqualTo(25);
        assertThat(DevicePlan.of(clients, 7, KNOWN, BOTH, 25).peers().getFirst().keepaliveSeconds())
                .isZero();
    }

    @ParameterizedTest
    @CsvSource({"off, 25", "0, 25", "600, 25", "15, 15"})
    void a_file_that_has_no_keepalive_or_a_rare_one_does_not_make_an_idle_tunnel_look_dead(String file, int planned) {
        WireGuardConfig config = PlanExamples.config(
                PlanExamples.file("10.64.0.2/32", "0.0.0.0/0", "", "192.0.2.10:1\nPersistentKeepalive = " + file));

        assertThat(DevicePlan.of(config, 7, Names.NONE, BOTH, 25)
                        .peers()
                        .getFirst()
                        .keepaliveSeconds())
                .isEqualTo(planned);
    }

    private static String endpoint(DeviceConfig device) {
        InetSocketAddress address = device.peers().getFirst().endpoint().orElseThrow();
        return Endpoint.of(address).toString();
    }

    private static Predicate<InetAddress> reaches(Family... families) {
        return address -> List.of(families).contains(Family.of(address));
    }
}
