package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Lab;
import io.culvert.lab.Observer;
import io.culvert.lab.Outcome;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Machines on which a tunnel cannot have IPv6, and files that leave something to be added later. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class PartsTest {

    private static final Box READ_ONLY = new Box(false, false, false, true, true, Box.Nft.USABLE, List.of(), List.of());

    private final TunnelLab lab = new TunnelLab(Shape.USUAL);
    private final Provider provider = lab.lab().provider();
    private final Probe node = Probe.from(lab.node().space());

    @AfterEach
    void close() {
        lab.close();
    }

    private String file() {
        return file("");
    }

    private String file(String lines) {
        return lab.file(
                "wg0.conf",
                provider.file(provider.outer4() + ":" + Provider.PORT, "0.0.0.0/0, ::/0")
                        .replace("[Interface]\n", "[Interface]\n" + lines + "\n"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ipv6_that_a_new_link_does_not_get_is_closed(boolean killSwitch) {
        lab.node().in(READ_ONLY);
        Observer observer = lab.lab().observe().allowWireGuardTo(provider.outer4(), Provider.PORT);
        assertThat(observer.sees(() -> node.whoami(Family.IPV6))).isTrue();
        lab.node().space().sysctl("net.ipv6.conf.default.disable_ipv6=1");
        String before = lab.everything();

        Outcome up = killSwitch ? lab.tunnel("up", "--kill-switch", file()) : lab.tunnel("up", file());

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err())
                .containsOnlyOnce("net.ipv6.conf.default.disable_ipv6: warning: is 1, so there is no IPv6 on wg0");
        observer.forget();
        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
        assertThat(node.whoami(Family.IPV6)).isEmpty();
        assertThat(observer.leaks()).isEmpty();

        lab.tunnel("down", "wg0").orFail();
        assertThat(lab.everything()).isEqualTo(before);
    }

    @Test
    void a_machine_that_lets_us_gives_the_tunnel_its_ipv6() {
        lab.node().space().sysctl("net.ipv6.conf.default.disable_ipv6=1");

        Outcome up = lab.tunnel("up", file());

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err()).doesNotContain("IPv6 is blocked");
        assertThat(node.whoami(Family.IPV6)).contains(provider.outer6());
    }

    @Test
    void a_tunnel_too_small_for_ipv6_closes_it() {
        Outcome up = lab.tunnel("up", file("MTU = 1200"));

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err()).containsOnlyOnce("its MTU is 1200 (MTU in its file), but IPv6 requires 1280");
        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
        assertThat(node.whoami(Family.IPV6)).isEmpty();
    }

    @Test
    void an_address_may_be_added_later_and_stays() {
        String text = provider.file(provider.outer4() + ":" + Provider.PORT, "10.64.0.0/16, 198.51.100.0/24");
        String file = lab.file("wg0.conf", text.replaceAll("(?m)^Address = .*\n", ""));
        String before = lab.everything();

        Outcome up = lab.tunnel("up", file);

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err()).contains("note: [Interface] has no Address");
        lab.ip("address", "add", provider.customer4() + "/32", "dev", "wg0");
        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
        lab.tunnel("up", file).orFail();
        assertThat(node.whoami(Family.IPV4)).contains(provider.outer4());
        assertThat(lab.tunnel("show", "wg0").orFail()).contains("peer");

        lab.tunnel("down", file).orFail();
        assertThat(lab.everything()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_file_with_nothing_but_a_key_is_a_tunnel_to_nowhere(boolean killSwitch) {
        String file = lab.file("wg0.conf", "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n");
        Observer observer = lab.lab().observe();
        assertThat(observer.sees(() -> node.whoami(Family.IPV4))).isTrue();
        String before = lab.everything();

        assertThat(lab.tunnel("plan", file).status()).isZero();
        Outcome up = killSwitch ? lab.tunnel("up", "--kill-switch", file) : lab.tunnel("up", file);

        assertThat(up.status()).as(up.err()).isZero();
        assertThat(up.err()).contains("note: [Interface] has no Address").contains("note: no [Peer] section");
        assertThat(lab.tunnel("show").orFail()).contains("wg0");
        observer.forget();
        if (killSwitch) {
            assertThat(node.whoami(Family.IPV4)).isEmpty();
            assertThat(node.whoami(Family.IPV6)).isEmpty();
            assertThat(observer.leaks()).isEmpty();
        } else {
            assertThat(node.whoami(Family.IPV4)).contains(Lab.NODE_4);
        }

        lab.tunnel("down", "wg0").orFail();
        assertThat(lab.everything()).isEqualTo(before);
    }

    @Test
    void what_needs_a_whole_file_refuses_a_part() {
        String file = lab.file("wg0.conf", "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n");

        Outcome exec = lab.node().run(Map.of(), "exec", "--config", file, "--", "true");

        assertThat(exec.status()).isEqualTo(2);
        assertThat(exec.err()).contains("[Interface] has no Address").contains("no [Peer] section");
    }
}
