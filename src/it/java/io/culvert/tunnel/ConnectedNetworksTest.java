// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.MeshLab;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.net.Family;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A tunnel whose file names networks that the machine is connected to, or is connected to later. */
@NamespaceTest
class ConnectedNetworksTest {

    private static final String LAPTOP = "192.168.7.50";
    private static final String NAS = "192.168.7.2";
    private static final String LAPTOP_6 = "fd07::50";
    private static final String NAS_6 = "fd07::2";

    private final TunnelLab lab = new TunnelLab(LabOptions.DEFAULTS);
    private final Provider provider = lab.lab().provider();
    private final LabNamespace namespace = lab.lab().node().namespace();
    private final Probe node = Probe.from(namespace);

    @AfterEach
    void closeLab() {
        lab.close();
    }

    /** Connects the home network, as NetworkManager or networkd do, or as {@code ip} does. */
    private void connectHomeNetwork(int metric) {
        lab.lab().lanHost().ip("address add " + NAS + "/24 dev eth0", "address add " + NAS_6 + "/64 dev eth0 nodad");
        namespace.ip(
                "address add " + LAPTOP + "/24 dev eth0 metric " + metric,
                "address add " + LAPTOP_6 + "/64 dev eth0 metric " + Math.max(1, metric) + " nodad");
    }

    private void assertHomeNetworkDirect() {
        assertThat(namespace.run("ip", "route", "get", NAS))
                .contains("dev eth0")
                .contains("src " + LAPTOP);
        assertThat(namespace.run("ip", "route", "get", NAS_6)).contains("dev eth0");
        assertThat(MeshLab.observedSource(namespace, "", lab.lab().lanHost(), NAS, 5))
                .isEqualTo(LAPTOP);
        assertThat(MeshLab.observedSource(namespace, "", lab.lab().lanHost(), NAS_6, 5))
                .isEqualTo(LAPTOP_6);
    }

    private String file(String allowedIps) {
        return lab.file("wg0.conf", provider.file(provider.publicIpv4() + ":" + Provider.PORT, allowedIps));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0 | 192.168.7.0/24, fd07::/64",
                "100 | 192.168.7.0/24, fd07::/64",
                "600 | 192.168.7.0/24, fd07::/64",
                "100 | 192.168.0.0/16, fd07::/32",
                "100 | 0.0.0.0/0, ::/0",
            })
    void connected_networks_stay_direct_at_the_start_and_when_connected_later(int metric, String allowedIps) {
        String file = file(allowedIps + ", 198.51.100.10/32, 2001:db8:1::10/128");
        connectHomeNetwork(metric);

        CommandResult up = lab.tunnel("up", file);

        assertThat(up.status()).as(up.err()).isZero();
        if (!allowedIps.contains("/0")) {
            assertThat(up.err()).contains("192.168.7.0/24 is connected to this machine, so it bypasses the tunnel");
        }
        assertHomeNetworkDirect();
        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
        assertThat(node.whoami(Family.IPV6)).contains(provider.publicIpv6());

        namespace.ip("address del " + LAPTOP + "/24 dev eth0", "address del " + LAPTOP_6 + "/64 dev eth0");
        assertThat(namespace.run("ip", "route", "get", NAS)).contains("dev wg0");
        assertThat(namespace.run("ip", "route", "get", NAS_6)).contains("dev wg0");

        reconnectHomeNetwork(metric);
        assertHomeNetworkDirect();
        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
    }

    private void reconnectHomeNetwork(int metric) {
        namespace.ip(
                "address add " + LAPTOP + "/24 dev eth0 metric " + metric,
                "address add " + LAPTOP_6 + "/64 dev eth0 metric " + Math.max(1, metric) + " nodad");
    }

    /** wg-quick fails, or routes the network into the tunnel: the behaviour to compare with. */
    @Test
    void wg_quick_routes_the_local_network_into_the_tunnel() {
        connectHomeNetwork(100);
        lab.wgQuick("up", file("192.168.7.0/24")).outputOrFail();
        assertThat(namespace.run("ip", "route", "get", NAS)).contains("dev wg0");
    }

    @Test
    void a_server_within_AllowedIPs_is_reached_directly() {
        lab.lab().router().ip("address add 192.168.7.2/24 dev lan");
        namespace.ip("address add " + LAPTOP + "/24 dev eth0 metric 100");
        String file = lab.file("wg0.conf", provider.file("192.168.7.2:51820", "192.168.7.0/24, 198.51.100.10/32"));
        lab.lab().router().nft("""
                        table ip home {
                          chain in {
                            type nat hook prerouting priority dstnat;
                            ip daddr 192.168.7.2 udp dport 51820 dnat to %s
                          }
                          chain out {
                            type nat hook postrouting priority srcnat;
                            ip saddr 192.168.7.0/24 oifname "wan" masquerade
                          }
                        }
                        """.formatted(provider.publicIpv4()));

        CommandResult up = lab.tunnel("up", file);

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(MeshLab.observedSource(namespace, "", lab.lab().router(), "192.168.7.2", 5))
                .isEqualTo(LAPTOP);
        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
    }

    @Test
    void a_subnet_of_the_local_network_can_be_routed_into_the_tunnel() {
        connectHomeNetwork(100);

        lab.tunnel("up", file("192.168.7.128/25, 198.51.100.10/32")).outputOrFail();

        assertThat(namespace.run("ip", "route", "get", "192.168.7.200")).contains("dev wg0");
        assertHomeNetworkDirect();
    }

    @Test
    void another_route_to_the_same_network_is_reported_and_the_hint_fixes_it() {
        namespace.ip("route add 198.51.100.0/24 via " + Lab.ROUTER_IPV4);
        String file = file("198.51.100.0/24");

        CommandResult up = lab.tunnel("up", file);

        assertThat(up.status()).isEqualTo(3);
        assertThat(up.err())
                .contains("AllowedIPs contains 198.51.100.0/24, to which this machine already has a route")
                .doesNotContain("VPN");

        String hint = up.err().replaceAll("(?s).*delete that route: ip (-4 route delete [^\\n]*).*", "$1");
        namespace.run(Stream.concat(Stream.of("ip"), Arrays.stream(hint.strip().split(" ", -1)))
                .toArray(String[]::new));
        lab.tunnel("up", file).outputOrFail();
        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
    }

    @Test
    void a_route_with_a_higher_metric_gives_way_as_with_wg_quick() {
        namespace.ip("route add 198.51.100.0/24 via " + Lab.ROUTER_IPV4 + " metric 100");

        lab.tunnel("up", file("198.51.100.0/24")).outputOrFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
    }

    @Test
    void a_server_in_the_network_of_the_tunnels_address_is_reached() {
        String file = lab.file("wg0.conf", provider.file().replace("/128\n", "/128, 203.0.113.12/24\n"));

        lab.tunnel("up", file).outputOrFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
    }

    @Test
    void an_address_on_both_the_tunnel_and_the_uplink_is_reported() {
        namespace.ip("address add " + provider.customerIpv4() + "/24 dev eth0");

        CommandResult up = lab.tunnel("up", lab.file("wg0.conf", provider.file()));

        assertThat(up.status()).isEqualTo(3);
        assertThat(up.err()).contains("Address 10.64.0.2/32 is an address of this machine's eth0");
    }
}
