// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.net.Family;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same file, brought up by wg-quick and by Culvert on the same machine. */
@NamespaceTest
class StandaloneTunnelTest {

    private final TunnelLab lab = new TunnelLab(LabOptions.DEFAULTS);
    private final Provider provider = lab.lab().provider();
    private final Probe node = Probe.from(lab.lab().node().namespace());

    @AfterEach
    void closeLab() {
        lab.close();
    }

    private void assertSameAsWgQuick(String file) {
        String before = lab.footprint();
        lab.wgQuick("up", file).outputOrFail();
        String wgQuick = lab.normalizedState("wg0");
        lab.wgQuick("down", file).outputOrFail();

        CommandResult up = lab.tunnel("up", file);

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(lab.normalizedState("wg0")).isEqualTo(wgQuick);

        CommandResult down = lab.tunnel("down", file);

        assertThat(down.status()).as(down.err()).isZero();
        assertThat(lab.footprint()).isEqualTo(before);
    }

    private String file(String allowedIps, String interfaceLines) {
        return lab.file(
                "wg0.conf",
                provider.file(provider.publicIpv4() + ":" + Provider.PORT, allowedIps)
                        .replace("[Interface]\n", "[Interface]\n" + interfaceLines.replace(';', '\n') + "\n"));
    }

    @Test
    void with_a_reverse_path_filter_replies_arrive_without_any_sysctl() {
        lab.node()
                .attempt("sysctl", "-q", "net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.eth0.rp_filter=1")
                .outputOrFail();

        lab.tunnel("up", file("0.0.0.0/0", "")).outputOrFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
    }

    @ParameterizedTest(name = "AllowedIPs = {0}; {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "0.0.0.0/0, ::/0 | ''",
                "0.0.0.0/0 | ''",
                "::/0 | ''",
                "10.64.0.0/24, fd00:64::/64 | ''",
                "0.0.0.0/0, 10.64.0.0/16, 198.51.100.0/24, ::/0 | ''",
                "0.0.0.0/0, ::/0 | Table = off",
                "0.0.0.0/0, ::/0 | Table = 123",
                "0.0.0.0/0, ::/0 | FwMark = 0x1234",
                "10.64.0.0/24 | FwMark = 0x1234",
                "0.0.0.0/0, ::/0 | MTU = 1300;ListenPort = 51999",
                "0.0.0.0/0 | Address = 10.9.0.1/24, fd09::1/64;DNS = 10.64.0.53, fd00::53, home.example",
            })
    void the_result_equals_that_of_wg_quick(String allowedIps, String lines) {
        assertSameAsWgQuick(file(allowedIps, lines));
    }

    @Test
    void the_result_equals_that_of_wg_quick_with_a_smaller_uplink_MTU() {
        lab.ip("link", "set", lab.lab().options().uplink(), "mtu", "1400");

        assertSameAsWgQuick(file("0.0.0.0/0, ::/0", ""));
    }

    @Test
    void the_result_equals_that_of_wg_quick_with_several_peers_a_preshared_key_and_ipv6_only() {
        String file = lab.file("wg0.conf", """
                [Interface]
                PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
                Address = fd00:64::2/64
                ListenPort = 51999
                [Peer]
                PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                PresharedKey = 4Rb3XM8GYY0kMX2yCSwC5oN0V4Bh1bVDKFDCZyqlMC4=
                AllowedIPs = ::/0
                Endpoint = [2001:db8:f::10]:51820
                [Peer]
                PublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=
                AllowedIPs = fd00:64::7/128, fd07::/64
                PersistentKeepalive = 5
                """);
        lab.wgQuick("up", file).outputOrFail();
        List<String> device = device();
        lab.wgQuick("down", file).outputOrFail();
        lab.tunnel("up", file).outputOrFail();
        assertThat(device()).isEqualTo(device);
        lab.tunnel("down", file).outputOrFail();

        assertSameAsWgQuick(file);
    }

    /** Returns the whole configuration, with the peers sorted. */
    private List<String> device() {
        return lab.node()
                .attempt("wg", "showconf", "wg0")
                .outputOrFail()
                .lines()
                .filter(line -> !line.startsWith("FwMark"))
                .sorted()
                .toList();
    }

    @Test
    void without_ipv6_the_ipv4_part_is_configured_with_a_note() {
        try (TunnelLab ipv4Lab = new TunnelLab(LabOptions.DEFAULTS.withoutIpv6())) {
            String file = ipv4Lab.file("wg0.conf", ipv4Lab.lab().provider().file());

            CommandResult up = ipv4Lab.tunnel("up", file);

            assertThat(up.status()).as(up.err()).isZero();
            assertThat(up.err()).contains("IPv6");
            assertThat(Probe.from(ipv4Lab.lab().node().namespace()).whoami(Family.IPV4))
                    .contains(ipv4Lab.lab().provider().publicIpv4());
        }
    }

    @Test
    void the_tunnel_carries_both_families() {
        lab.tunnel("up", file("0.0.0.0/0, ::/0", "")).outputOrFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
        assertThat(node.whoami(Family.IPV6)).contains(provider.publicIpv6());
    }

    @Test
    void two_half_default_routes_work_although_they_include_the_server() {
        lab.tunnel("up", file("0.0.0.0/1, 128.0.0.0/1, ::/1, 8000::/1", "")).outputOrFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.publicIpv4());
        assertThat(node.whoami(Family.IPV6)).contains(provider.publicIpv6());
    }

    @Test
    void a_family_without_allowed_ips_and_more_specific_routes_are_unchanged() {
        lab.ip("route", "add", "198.51.100.0/24", "via", "192.0.2.1");

        lab.tunnel("up", file("0.0.0.0/0", "")).outputOrFail();

        assertThat(node.whoami(Family.IPV4)).contains("192.0.2.10");
        assertThat(node.whoami(Family.IPV6)).contains("2001:db8:e::10");
    }

    @Test
    void up_is_idempotent() {
        String file = file("0.0.0.0/0, ::/0", "");
        lab.tunnel("up", file).outputOrFail();
        String once = lab.footprint();

        lab.tunnel("up", file).outputOrFail();

        assertThat(lab.footprint()).isEqualTo(once);
    }

    @Test
    void the_endpoint_may_be_a_host_name() {
        String file = lab.file("wg0.conf", provider.file("provider0.example:" + Provider.PORT, "0.0.0.0/0, ::/0"));

        lab.tunnel("up", file).outputOrFail();

        assertThat(lab.tunnel("show", "wg0").out())
                .contains("endpoint: " + provider.publicIpv4() + ":" + Provider.PORT);
    }
}
