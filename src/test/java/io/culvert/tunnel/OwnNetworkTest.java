package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Lab;
import io.culvert.lab.MeshLab;
import io.culvert.lab.Namespace;
import io.culvert.lab.Outcome;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A tunnel whose file names networks that the machine is connected to, or comes into. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class OwnNetworkTest {

    private static final String LAPTOP = "192.168.7.50";
    private static final String NAS = "192.168.7.2";
    private static final String LAPTOP_6 = "fd07::50";
    private static final String NAS_6 = "fd07::2";

    private final TunnelLab lab = new TunnelLab(Shape.USUAL);
    private final Provider provider = lab.lab().provider();
    private final Namespace space = lab.lab().node().space();
    private final Probe node = Probe.from(space);

    @AfterEach
    void closeLab() {
        lab.close();
    }

    /** Home, as NetworkManager or networkd bring a laptop into it, or as {@code ip} does. */
    private void comeHome(int metric) {
        lab.lab().neighbour().ip("address add " + NAS + "/24 dev eth0", "address add " + NAS_6 + "/64 dev eth0 nodad");
        space.ip(
                "address add " + LAPTOP + "/24 dev eth0 metric " + metric,
                "address add " + LAPTOP_6 + "/64 dev eth0 metric " + Math.max(1, metric) + " nodad");
    }

    private void homeIsDirect() {
        assertThat(space.run("ip", "route", "get", NAS)).contains("dev eth0").contains("src " + LAPTOP);
        assertThat(space.run("ip", "route", "get", NAS_6)).contains("dev eth0");
        assertThat(MeshLab.whoAsks(space, "", lab.lab().neighbour(), NAS, 5)).isEqualTo(LAPTOP);
        assertThat(MeshLab.whoAsks(space, "", lab.lab().neighbour(), NAS_6, 5)).isEqualTo(LAPTOP_6);
    }

    private String file(String allowedIps) {
        return lab.file("wg0.conf", provider.file(provider.outer4() + ":" + Provider.PORT, allowedIps));
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
    void what_is_connected_stays_direct_at_the_start_and_on_coming_home(int metric, String allowedIps) {
        String file = file(allowedIps + ", 198.51.100.10/32, 2001:db8:1::10/128");
        comeHome(metric);

        Outcome up = lab.tunnel("up", file);

        assertThat(up.status()).as(up.err()).isZero();
        if (!allowedIps.contains("/0")) {
            assertThat(up.err()).contains("192.168.7.0/24 is connected to this machine, so it bypasses the tunnel");
        }
        homeIsDirect();
        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
        assertThat(node.whoami(Family.IPV6)).contains(provider.outer6());

        space.ip("address del " + LAPTOP + "/24 dev eth0", "address del " + LAPTOP_6 + "/64 dev eth0");
        assertThat(space.run("ip", "route", "get", NAS)).contains("dev wg0");
        assertThat(space.run("ip", "route", "get", NAS_6)).contains("dev wg0");

        comeHomeAgain(metric);
        homeIsDirect();
        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
    }

    private void comeHomeAgain(int metric) {
        space.ip(
                "address add " + LAPTOP + "/24 dev eth0 metric " + metric,
                "address add " + LAPTOP_6 + "/64 dev eth0 metric " + Math.max(1, metric) + " nodad");
    }

    /** wg-quick is refused, or takes the network over: what is compared with. */
    @Test
    void wg_quick_takes_the_network_over() {
        comeHome(100);
        lab.wgQuick("up", file("192.168.7.0/24")).orFail();
        assertThat(space.run("ip", "route", "get", NAS)).contains("dev wg0");
    }

    @Test
    void a_server_in_the_network_that_AllowedIPs_names_is_reached_directly() {
        lab.lab().router().ip("address add 192.168.7.2/24 dev lan");
        space.ip("address add " + LAPTOP + "/24 dev eth0 metric 100");
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
                        """.formatted(provider.outer4()));

        Outcome up = lab.tunnel("up", file);

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(MeshLab.whoAsks(space, "", lab.lab().router(), "192.168.7.2", 5))
                .isEqualTo(LAPTOP);
        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
    }

    @Test
    void a_part_of_the_own_network_goes_into_a_tunnel_that_leads_elsewhere() {
        comeHome(100);

        lab.tunnel("up", file("192.168.7.128/25, 198.51.100.10/32")).orFail();

        assertThat(space.run("ip", "route", "get", "192.168.7.200")).contains("dev wg0");
        homeIsDirect();
    }

    @Test
    void a_route_of_another_router_to_the_same_network_is_named_and_the_hint_helps() {
        space.ip("route add 198.51.100.0/24 via " + Lab.ROUTER_4);
        String file = file("198.51.100.0/24");

        Outcome up = lab.tunnel("up", file);

        assertThat(up.status()).isEqualTo(3);
        assertThat(up.err())
                .contains("AllowedIPs contains 198.51.100.0/24, to which this machine already has a route")
                .doesNotContain("VPN");

        String hint = up.err().replaceAll("(?s).*delete that route: ip (-4 route delete [^\\n]*).*", "$1");
        space.run(Stream.concat(Stream.of("ip"), Arrays.stream(hint.strip().split(" ", -1)))
                .toArray(String[]::new));
        lab.tunnel("up", file).orFail();
        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
    }

    @Test
    void with_a_worse_metric_that_route_gives_way_as_to_wg_quick() {
        space.ip("route add 198.51.100.0/24 via " + Lab.ROUTER_4 + " metric 100");

        lab.tunnel("up", file("198.51.100.0/24")).orFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
    }

    @Test
    void a_server_in_the_network_of_the_tunnels_own_address_is_reached() {
        String file = lab.file("wg0.conf", provider.file().replace("/128\n", "/128, 203.0.113.12/24\n"));

        lab.tunnel("up", file).orFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
    }

    @Test
    void the_same_address_inside_and_outside_is_named() {
        space.ip("address add " + provider.customer4() + "/24 dev eth0");

        Outcome up = lab.tunnel("up", lab.file("wg0.conf", provider.file()));

        assertThat(up.status()).isEqualTo(3);
        assertThat(up.err()).contains("Address 10.64.0.2/32 is an address of this machine's eth0");
    }
}
