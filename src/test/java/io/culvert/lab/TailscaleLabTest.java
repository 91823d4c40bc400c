package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.culvert.ip.Family;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The lab's tailnet, with nothing of ours in it: what later tests conclude from rests on this. */
@Tag("tailnet")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TailscaleLabTest {

    private static final Duration START = Duration.ofSeconds(20);
    private static final int PORT = 41641;

    /** Where tailscaled answers the questions of the machine it runs on. */
    private static final String MAGIC_DNS = "100.100.100.100";

    private final Lab lab = Lab.open();
    private final Probe phone = Probe.from(lab.client().space());

    @AfterEach
    void closeLab() {
        lab.close();
    }

    private TailscaleClient device(String name) {
        return new TailscaleClient(lab.provider().space(), name);
    }

    /** What people run without us: Tailscale's own container, offering the network it is in. */
    private Child plainExitNode() {
        Map<String, String> settings =
                lab.headscale().settings("plain", lab.headscale().key());
        settings.merge("TS_EXTRA_ARGS", "--advertise-exit-node", (all, more) -> all + " " + more);
        settings.put("TS_USERSPACE", "false");
        settings.put("TS_DEBUG_FIREWALL_MODE", "nftables");
        settings.put("TS_DISABLE_PORTMAPPER", "true");
        settings.put("TS_TAILSCALED_EXTRA_ARGS", "--port=" + PORT);
        settings.put("PATH", GoProgram.DIRECTORY + ":" + System.getenv("PATH"));
        Child containerboot = lab.node().startOther(settings, "containerboot");
        // Its own "Startup complete" waits for the next change of the tailnet, or 15 seconds.
        containerboot.awaitLine("Switching ipn state .* -> Running", START);
        return containerboot;
    }

    @Test
    void a_plain_exit_node_lends_its_own_address_and_the_observer_sees_it() {
        Observer observer = lab.observe().allowTailscale(PORT);
        try (Child containerboot = plainExitNode()) {
            assertThat(lab.headscale().member("plain").approvedRoutes()).containsExactlyInAnyOrder("0.0.0.0/0", "::/0");
            lab.phone().useExitNode("plain").tailscale().awaitDirect("plain");
            observer.forget();

            assertThat(phone.whoami(Family.IPV4)).contains(Lab.NODE_4);
            assertThat(phone.echo(Family.IPV6)).contains(Lab.NODE_6);

            assertThat(observer.count("Tailscale to its peers")).isPositive();
            assertThat(observer.leaks())
                    .containsOnlyKeys(
                            "TCP " + Lab.NODE_4 + " to " + Lab.SERVER_4 + " port 80",
                            "UDP " + Lab.NODE_6 + " to " + Lab.SERVER_6 + " port 7");

            assertThat(phone.resolve(MAGIC_DNS, "exit-client.example", Family.IPV4))
                    .containsExactly(Lab.SERVER_4);
            assertThat(lab.internet().questions())
                    .filteredOn(question -> question.name().equals("exit-client.example."))
                    .extracting(DnsQuestion::asker)
                    .allMatch(asker -> Set.of(Lab.NODE_4, Lab.NODE_6).contains(asker));

            assertThat(lab.node().tailscale().status().getString("BackendState"))
                    .isEqualTo("Running");
            lab.phone().leaveExitNode();
            assertThat(phone.whoami(Family.IPV4)).contains(Lab.CLIENT_4);

            containerboot.signal("TERM");
            assertThat(containerboot.awaitExit(START)).isZero();
        }
    }

    @Test
    void two_devices_know_and_reach_each_other() {
        Tailscale laptop = lab.laptop().tailscale();
        Tailscale tailscale = lab.phone().tailscale();
        tailscale.awaitPeer("laptop");
        tailscale.awaitDirect("laptop");

        assertThat(phone.resolve(MAGIC_DNS, "laptop.tailnet.example", Family.IPV4))
                .containsExactly(laptop.address(Family.IPV4));
        assertThat(lab.headscale().members())
                .extracting(Headscale.Member::name, Headscale.Member::online)
                .containsExactlyInAnyOrder(tuple("laptop", true), tuple("phone", true));
    }

    @Test
    void a_device_is_in_until_its_login_expires() {
        lab.headscale().expire(lab.phone().name());

        lab.phone()
                .tailscale()
                .await("logged out", status -> status.getString("BackendState").equals("NeedsLogin"));

        lab.headscale().delete("phone");
        assertThat(lab.headscale().members()).isEmpty();
    }

    @Test
    void keys_that_expired_or_were_used_up_let_nobody_in() {
        try (TailscaleClient late = device("late")) {
            assertThat(late.join(lab.headscale().expiredKey()).err()).contains("expired");
        }
        String key = lab.headscale().singleUseKey();
        try (TailscaleClient first = device("first")) {
            first.join(key).orFail();
        }
        try (TailscaleClient second = device("second")) {
            assertThat(second.join(key).err()).contains("used");
        }
    }

    @Test
    void a_tailnet_outlives_its_control_server() {
        List<String> addresses = lab.headscale().member(lab.phone().name()).addresses();

        lab.headscale().die();
        lab.headscale().live();

        lab.headscale().awaitConnected("phone");
        assertThat(lab.headscale().member("phone").addresses()).isEqualTo(addresses);
    }
}
