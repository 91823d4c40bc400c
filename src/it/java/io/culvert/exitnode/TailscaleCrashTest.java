// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.Headscale;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.lab.TailnetTest;
import io.culvert.lab.TailscaleCli;
import io.culvert.net.Family;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A node of a tailnet is killed and started again, or started without a working tunnel. */
@TailnetTest
class TailscaleCrashTest {

    private final TailnetFixture tailnet = TailnetFixture.defaultSettings();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    /** On a machine, child processes outlive the program; in a container, they end with it. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_killed_node_returns_as_the_same_node_and_leaks_nothing(boolean container) {
        tailnet.fixture.in(container ? Sandbox.CONTAINER : Sandbox.MACHINE);
        Map<String, String> settings = tailnet.settings(Map.of());
        RunningProgram first = TailnetFixture.awaitExitNode(tailnet.fixture.start(settings));
        String id = tailnet.id();
        tailnet.selectExitNodeOnPhone();
        String ipv4 = tailnet.fixture.provider(Family.IPV4);
        String ipv6 = tailnet.fixture.provider(Family.IPV6);
        try (ContinuousProbe phone = ContinuousProbe.of(tailnet.lab.client().namespace(), Family.IPV4);
                ContinuousProbe local = ContinuousProbe.of(tailnet.fixture.namespace(), Family.IPV6)) {
            phone.awaitReply(ipv4, ExitNodeFixture.TIMEOUT);
            local.awaitReply(ipv6, ExitNodeFixture.TIMEOUT);

            first.kill();
            long killed = System.nanoTime();
            RunningProgram second = TailnetFixture.awaitExitNode(tailnet.fixture.start(settings));
            phone.awaitReply(ipv4, ExitNodeFixture.TIMEOUT);
            System.out.printf(
                    "killed %s and started again: exit traffic after %d ms%n",
                    container ? "in a container" : "on a machine", (System.nanoTime() - killed) / 1_000_000);
            local.awaitReply(ipv6, ExitNodeFixture.TIMEOUT);
            assertThat(phone.seenAddresses()).containsExactly(ipv4);
            assertThat(local.seenAddresses()).containsExactly(ipv6);
            assertThat(tailnet.id()).isEqualTo(id);
            assertThat(tailnet.observer.leaks()).isEmpty();

            second.signal("TERM");
            assertThat(second.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
        }
        assertThat(tailnet.lab.headscale().members())
                .extracting(Headscale.Member::name)
                .containsExactlyInAnyOrder(TailnetFixture.NODE, "phone");
        assertThat(CommandResult.of(List.of(
                                "ip",
                                "netns",
                                "pids",
                                tailnet.fixture.namespace().name()))
                        .out())
                .as("left behind")
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void without_a_tunnel_the_node_joins_the_tailnet_and_no_client_can_exit(boolean resolves) {
        Map<String, String> settings = tailnet.settings(Map.of());
        try (RunningProgram before = TailnetFixture.awaitExitNode(tailnet.fixture.start(settings))) {
            tailnet.selectExitNodeOnPhone();
            tailnet.assertPhoneUsesTunnel(Family.values());
            before.signal("TERM");
            assertThat(before.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
        }
        Provider provider = tailnet.lab.provider();
        if (resolves) {
            provider.stop();
        } else {
            tailnet.observer.allow(
                    "bootstrap DNS queries for the provider's name",
                    it -> it.destinationPort() == 53 && it.payload().contains("nowhere"));
            tailnet.lab
                    .node()
                    .wireGuardFile(
                            "provider.conf", provider.file("nowhere.invalid:" + Provider.PORT, "0.0.0.0/0, ::/0"));
        }

        RunningProgram culvert = tailnet.fixture.start(settings);

        culvert.awaitLine("mesh: .*advertises exit node once the tunnel is connected", ExitNodeFixture.TIMEOUT);
        TailscaleCli phone = tailnet.lab.phone().tailscale();
        phone.await(
                "a withdrawn advertisement",
                _ -> !phone.peer(TailnetFixture.NODE).orElseThrow().getBoolean("ExitNodeOption"));
        assertThat(tailnet.fixture.status().mesh()).contains("advertises exit node once the tunnel is connected");
        tailnet.assertPhoneBlocked(Family.values());
        tailnet.fixture.assertLocalTrafficBlocked(Family.values());
        if (resolves) {
            provider.start();
            TailnetFixture.awaitExitNode(culvert);
            tailnet.selectExitNodeOnPhone();
            tailnet.assertPhoneUsesTunnel(Family.values());
        }
    }
}
