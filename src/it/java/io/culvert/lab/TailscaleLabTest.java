// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.culvert.net.Family;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The lab's tailnet, without Culvert: other tests depend on it. */
@TailnetTest
class TailscaleLabTest {

    private static final Duration START_TIMEOUT = Duration.ofSeconds(20);
    private static final int PORT = 41641;

    /** The resolver of tailscaled for its own machine. */
    private static final String MAGIC_DNS = "100.100.100.100";

    private final Lab lab = Lab.open();
    private final Probe phone = Probe.from(lab.client().namespace());

    @AfterEach
    void closeLab() {
        lab.close();
    }

    private TailscaleClient device(String name) {
        return new TailscaleClient(lab.provider().namespace(), name);
    }

    /** Starts Tailscale's own container as an exit node without Culvert. */
    private RunningProgram plainExitNode() {
        Map<String, String> settings =
                lab.headscale().settings("plain", lab.headscale().key());
        settings.merge("TS_EXTRA_ARGS", "--advertise-exit-node", (all, more) -> all + " " + more);
        settings.put("TS_USERSPACE", "false");
        settings.put("TS_DEBUG_FIREWALL_MODE", "nftables");
        settings.put("TS_DISABLE_PORTMAPPER", "true");
        settings.put("TS_TAILSCALED_EXTRA_ARGS", "--port=" + PORT);
        settings.put("PATH", GoProgram.DIRECTORY + ":" + System.getenv("PATH"));
        RunningProgram containerboot = lab.node().startOther(settings, "containerboot");
        // "Startup complete" is logged after the next change of the tailnet, or 15 seconds.
        containerboot.awaitLine("Switching ipn state .* -> Running", START_TIMEOUT);
        return containerboot;
    }

    @Test
    void a_plain_exit_node_uses_its_own_address_and_the_observer_reports_leaks() {
        Observer observer = lab.observe().allowTailscale(PORT);
        try (RunningProgram containerboot = plainExitNode()) {
            assertThat(lab.headscale().member("plain").approvedRoutes()).containsExactlyInAnyOrder("0.0.0.0/0", "::/0");
            lab.phone().useExitNode("plain").tailscale().awaitDirect("plain");
            observer.reset();

            assertThat(phone.whoami(Family.IPV4)).contains(Lab.NODE_IPV4);
            assertThat(phone.echo(Family.IPV6)).contains(Lab.NODE_IPV6);

            assertThat(observer.count("Tailscale to its peers")).isPositive();
            assertThat(observer.leaks())
                    .containsOnlyKeys(
                            "TCP " + Lab.NODE_IPV4 + " to " + Lab.SERVER_IPV4 + " port 80",
                            "UDP " + Lab.NODE_IPV6 + " to " + Lab.SERVER_IPV6 + " port 7");

            assertThat(phone.resolve(MAGIC_DNS, "exit-client.example", Family.IPV4))
                    .containsExactly(Lab.SERVER_IPV4);
            assertThat(lab.internet().queries())
                    .filteredOn(query -> query.name().equals("exit-client.example."))
                    .extracting(ReceivedQuery::sourceAddress)
                    .allMatch(sourceAddress ->
                            Set.of(Lab.NODE_IPV4, Lab.NODE_IPV6).contains(sourceAddress));

            assertThat(lab.node().tailscale().status().getString("BackendState"))
                    .isEqualTo("Running");
            lab.phone().leaveExitNode();
            assertThat(phone.whoami(Family.IPV4)).contains(Lab.CLIENT_IPV4);

            containerboot.signal("TERM");
            assertThat(containerboot.awaitExit(START_TIMEOUT)).isZero();
        }
    }

    @Test
    void two_devices_reach_each_other() {
        TailscaleCli laptop = lab.laptop().tailscale();
        TailscaleCli tailscale = lab.phone().tailscale();
        tailscale.awaitPeer("laptop");
        tailscale.awaitDirect("laptop");

        assertThat(phone.resolve(MAGIC_DNS, "laptop.tailnet.example", Family.IPV4))
                .containsExactly(laptop.address(Family.IPV4));
        assertThat(lab.headscale().members())
                .extracting(Headscale.Member::name, Headscale.Member::online)
                .containsExactlyInAnyOrder(tuple("laptop", true), tuple("phone", true));
    }

    @Test
    void a_device_is_logged_out_when_its_key_expires() {
        lab.headscale().expire(lab.phone().name());

        lab.phone()
                .tailscale()
                .await("logged out", status -> status.getString("BackendState").equals("NeedsLogin"));

        lab.headscale().delete("phone");
        assertThat(lab.headscale().members()).isEmpty();
    }

    @Test
    void expired_and_used_keys_are_rejected() {
        try (TailscaleClient late = device("late")) {
            assertThat(late.join(lab.headscale().expiredKey()).err()).contains("expired");
        }
        String key = lab.headscale().singleUseKey();
        try (TailscaleClient first = device("first")) {
            first.join(key).outputOrFail();
        }
        try (TailscaleClient second = device("second")) {
            assertThat(second.join(key).err()).contains("used");
        }
    }

    @Test
    void a_tailnet_survives_a_restart_of_its_control_server() {
        List<String> addresses = lab.headscale().member(lab.phone().name()).addresses();

        lab.headscale().stop();
        lab.headscale().start();

        lab.headscale().awaitConnected("phone");
        assertThat(lab.headscale().member("phone").addresses()).isEqualTo(addresses);
    }
}
