package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Outcome;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same file, raised by wg-quick and by us, on the same machine. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TunnelAloneTest {

    private final TunnelLab lab = new TunnelLab(Shape.USUAL);
    private final Provider provider = lab.lab().provider();
    private final Probe node = Probe.from(lab.lab().node().space());

    @AfterEach
    void closeLab() {
        lab.close();
    }

    private void assertSameAsWgQuick(String file) {
        String before = lab.everything();
        lab.wgQuick("up", file).orFail();
        String wgQuick = lab.meaning("wg0");
        lab.wgQuick("down", file).orFail();

        Outcome up = lab.tunnel("up", file);

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(lab.meaning("wg0")).isEqualTo(wgQuick);

        Outcome down = lab.tunnel("down", file);

        assertThat(down.status()).as(down.err()).isZero();
        assertThat(lab.everything()).isEqualTo(before);
    }

    private String file(String allowedIps, String interfaceLines) {
        return lab.file(
                "wg0.conf",
                provider.file(provider.outer4() + ":" + Provider.PORT, allowedIps)
                        .replace("[Interface]\n", "[Interface]\n" + interfaceLines.replace(';', '\n') + "\n"));
    }

    @Test
    void where_the_reverse_path_is_filtered_answers_come_in_without_any_sysctl() {
        lab.node()
                .attempt("sysctl", "-q", "net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.eth0.rp_filter=1")
                .orFail();

        lab.tunnel("up", file("0.0.0.0/0", "")).orFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
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
    void the_same_as_wg_quick(String allowedIps, String lines) {
        assertSameAsWgQuick(file(allowedIps, lines));
    }

    @Test
    void the_same_as_wg_quick_by_an_uplink_that_carries_less() {
        lab.ip("link", "set", lab.lab().shape().uplink(), "mtu", "1400");

        assertSameAsWgQuick(file("0.0.0.0/0, ::/0", ""));
    }

    @Test
    void the_same_as_wg_quick_with_several_peers_a_preshared_key_and_ipv6_only() {
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
        lab.wgQuick("up", file).orFail();
        List<String> device = device();
        lab.wgQuick("down", file).orFail();
        lab.tunnel("up", file).orFail();
        assertThat(device()).isEqualTo(device);
        lab.tunnel("down", file).orFail();

        assertSameAsWgQuick(file);
    }

    /** All of it, the order of peers aside. */
    private List<String> device() {
        return lab.node()
                .attempt("wg", "showconf", "wg0")
                .orFail()
                .lines()
                .filter(line -> !line.startsWith("FwMark"))
                .sorted()
                .toList();
    }

    @Test
    void a_machine_without_ipv6_gets_the_rest_and_a_note() {
        try (TunnelLab plain = new TunnelLab(Shape.USUAL.withoutIpv6())) {
            String file = plain.file("wg0.conf", plain.lab().provider().file());

            Outcome up = plain.tunnel("up", file);

            assertThat(up.status()).as(up.err()).isZero();
            assertThat(up.err()).contains("IPv6");
            assertThat(Probe.from(plain.lab().node().space()).whoami(Family.IPV4))
                    .contains(plain.lab().provider().outer4());
        }
    }

    @Test
    void it_carries_both_families_and_leaves_by_the_provider() {
        lab.tunnel("up", file("0.0.0.0/0, ::/0", "")).orFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
        assertThat(node.whoami(Family.IPV6)).contains(provider.outer6());
    }

    @Test
    void halves_of_everything_work_although_they_hold_the_server() {
        lab.tunnel("up", file("0.0.0.0/1, 128.0.0.0/1, ::/1, 8000::/1", "")).orFail();

        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
        assertThat(node.whoami(Family.IPV6)).contains(provider.outer6());
    }

    @Test
    void a_family_without_allowed_ips_stays_as_it_was_and_so_do_routes_that_are_more_specific() {
        lab.ip("route", "add", "198.51.100.0/24", "via", "192.0.2.1");

        lab.tunnel("up", file("0.0.0.0/0", "")).orFail();

        assertThat(node.whoami(Family.IPV4)).contains("192.0.2.10");
        assertThat(node.whoami(Family.IPV6)).contains("2001:db8:e::10");
    }

    @Test
    void running_twice_changes_nothing() {
        String file = file("0.0.0.0/0, ::/0", "");
        lab.tunnel("up", file).orFail();
        String once = lab.everything();

        lab.tunnel("up", file).orFail();

        assertThat(lab.everything()).isEqualTo(once);
    }

    @Test
    void the_server_may_be_a_name() {
        String file = lab.file("wg0.conf", provider.file("provider0.example:" + Provider.PORT, "0.0.0.0/0, ::/0"));

        lab.tunnel("up", file).orFail();

        assertThat(lab.tunnel("show", "wg0").out()).contains("endpoint: " + provider.outer4() + ":" + Provider.PORT);
    }
}
