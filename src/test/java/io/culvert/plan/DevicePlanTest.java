// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Endpoint;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DevicePlanTest {

    private static final Predicate<InetAddress> BOTH = reaches(Family.values());
    private static final WireGuardConfig NAMED =
            PlanExamples.config(PlanExamples.file("10.64.0.2/32", "0.0.0.0/0", "", "vpn.example.net:51820"));
    private static final ResolvedNames KNOWN = new ResolvedNames(
            Map.of(new Host.Name("vpn.example.net"), PlanExamples.addresses("2001:db8::10", "192.0.2.10")));

    @Test
    void a_peer_with_an_unresolved_name_has_no_endpoint() {
        DeviceConfig device = DevicePlan.of(NAMED, 7, ResolvedNames.NONE, BOTH, 25);

        assertThat(device.mark()).isEqualTo(7);
        assertThat(device.peers().getFirst().endpoint()).isEmpty();
        assertThat(DevicePlan.endpointFamily(device)).isEmpty();
    }

    @Test
    void an_unreachable_server_has_no_allowed_ips_but_a_mesh_peer_keeps_them() {
        assertThat(DevicePlan.of(NAMED, 7, ResolvedNames.NONE, BOTH, 25)
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
        assertThat(DevicePlan.of(NAMED, 7, ResolvedNames.NONE, BOTH, 0)
                        .peers()
                        .getFirst()
                        .allowedIps())
                .isNotEmpty();
    }

    @Test
    void the_first_resolved_address_is_used_if_the_machine_has_both_families() {
        assertThat(endpoint(DevicePlan.of(NAMED, 7, KNOWN, BOTH, 25))).isEqualTo("[2001:db8::10]:51820");
    }

    @Test
    void the_endpoint_has_a_family_that_has_an_uplink() {
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
    void an_ip_address_is_used_without_resolution() {
        WireGuardConfig literal =
                PlanExamples.config(PlanExamples.file("10.64.0.2/32", "0.0.0.0/0", "", "[2001:db8::5]:1"));

        assertThat(endpoint(DevicePlan.of(literal, 7, ResolvedNames.NONE, BOTH, 25)))
                .isEqualTo("[2001:db8::5]:1");
    }

    @Test
    void servers_get_a_keepalive_and_mesh_clients_do_not() {
        WireGuardConfig clients = PlanExamples.dualStack().meshes().getFirst().file();

        assertThat(DevicePlan.of(NAMED, 7, KNOWN, BOTH, 25).peers().getFirst().keepaliveSeconds())
                .isEqualTo(25);
        assertThat(DevicePlan.of(clients, 7, KNOWN, BOTH, 25).peers().getFirst().keepaliveSeconds())
                .isZero();
    }

    @ParameterizedTest
    @CsvSource({"off, 25", "0, 25", "600, 25", "15, 15"})
    void a_missing_or_long_keepalive_is_limited_to_25_seconds(String file, int planned) {
        WireGuardConfig config = PlanExamples.config(
                PlanExamples.file("10.64.0.2/32", "0.0.0.0/0", "", "192.0.2.10:1\nPersistentKeepalive = " + file));

        assertThat(DevicePlan.of(config, 7, ResolvedNames.NONE, BOTH, 25)
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
