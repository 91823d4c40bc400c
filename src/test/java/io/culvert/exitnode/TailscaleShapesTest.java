package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Namespace;
import io.culvert.lab.Outcome;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Machines, containers and providers differ, and Tailscale minds that more than a plain WireGuard does. */
@Tag("tailnet")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TailscaleShapesTest {

    @SuppressWarnings("NullAway.Init") // Each test opens its own.
    private Tailnet tailnet;

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    private void open(Shape shape) {
        tailnet = Tailnet.of(shape);
    }

    /** Everybody exits by the provider, and by nobody when the tunnel's link is gone. */
    private void itServesAndHolds(Child culvert, Family... families) {
        tailnet.phoneExits();
        tailnet.phoneGoesByTheProvider(families);
        tailnet.world.localTrafficGoesByTheProvider(families);

        culvert.signal("STOP");
        tailnet.world.space().run("ip", "link", "delete", "wg0");
        tailnet.phoneIsClosed(families);
        tailnet.world.localTrafficIsClosed(families);
        culvert.fromNow().signal("CONT");
        culvert.awaitLine("tunnel: connected to", World.SOON);
        tailnet.phoneGoesByTheProvider(families);
    }

    /**
     * Tailscale's own way around the reverse path filter is a kernel setting, which it may not write in a container.
     */
    @ParameterizedTest
    @CsvSource({"0, 0, true", "0, 1, false", "1, 0, true", "1, 1, true"})
    void the_reverse_path_filter_stops_nobody(int filter, int validMark, boolean readOnly) {
        open(filter == 1 ? Shape.USUAL.withStrictReversePath() : Shape.USUAL);
        tailnet.world.space().run("sh", "-c", "echo " + validMark + " > /proc/sys/net/ipv4/conf/all/src_valid_mark");
        tailnet.world.in(readOnly ? Box.CONTAINER : Box.CONTAINER.withWritableSysctl());

        itServesAndHolds(tailnet.connect(Map.of()), Family.values());
    }

    @Test
    void a_container_without_IPv6_works_under_any_name_of_its_uplink() {
        open(Shape.USUAL.uplink("ens18").withoutIpv6());

        Child culvert = tailnet.connect(Map.of());

        itServesAndHolds(culvert, Family.IPV4);
        tailnet.phoneIsClosed(Family.IPV6);
    }

    @Test
    void an_uplink_with_the_name_of_Tailscale_s_interface_is_not_taken_for_the_mesh_and_the_hint_helps() {
        open(Shape.USUAL.uplink("tailscale0"));

        for (String command : new String[] {"check", "up"}) {
            Outcome outcome = tailnet.world.run(tailnet.settings(Map.of()), command);
            assertThat(outcome.status()).as(outcome.out() + outcome.err()).isEqualTo(3);
            assertThat(outcome.out() + outcome.err())
                    .contains(
                            "tailscale0",
                            "an interface of this name exists already and is not Tailscale's",
                            "TS_TAILSCALED_EXTRA_ARGS=--tun=tailnet0");
        }
        tailnet.world.localTrafficIsClosed(Family.values());

        // As the hint says.
        Child culvert = tailnet.connect(Map.of("TS_TAILSCALED_EXTRA_ARGS", "--tun=tailnet0"));
        itServesAndHolds(culvert, Family.values());
    }

    /**
     * A router asks for no gateway when it answers for everybody; others do not, and then the gateway has to be used.
     */
    @Test
    void an_uplink_that_answers_every_ARP_may_have_no_gateway() {
        open(Shape.USUAL);
        tailnet.lab.router().run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/lan/proxy_arp");
        tailnet.world.space().ip("route replace default dev eth0");

        itServesAndHolds(tailnet.connect(Map.of()), Family.values());
    }

    @Test
    void a_provider_without_IPv6_closes_IPv6_at_once_for_everybody() {
        open(Shape.USUAL);
        Provider provider = tailnet.lab.provider();
        tailnet.lab
                .node()
                .wireGuardFile(
                        "provider.conf",
                        provider.file(provider.outer4() + ":" + Provider.PORT, "0.0.0.0/0")
                                .replaceAll(", fd00:\\S+", ""));
        tailnet.connect(Map.of());
        tailnet.phoneExits();

        tailnet.phoneGoesByTheProvider(Family.IPV4);
        tailnet.world.localTrafficGoesByTheProvider(Family.IPV4);
        for (Namespace from :
                new Namespace[] {tailnet.world.space(), tailnet.lab.client().space()}) {
            // Told so, not kept waiting: curl's 7 is a refusal, its 28 would be the time-out.
            Outcome refused = from.attempt("curl", "-s", "--max-time", "5", "http://[" + Lab.SERVER_6 + "]/");
            assertThat(refused.status()).as(from.name()).isEqualTo(7);
        }
        assertThat(tailnet.observer.leaks()).isEmpty();
    }
}
