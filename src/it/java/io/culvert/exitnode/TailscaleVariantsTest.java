// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.lab.TailnetTest;
import io.culvert.net.Family;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Variants of machines, containers and providers that matter to Tailscale. */
@TailnetTest
class TailscaleVariantsTest {

    @SuppressWarnings("NullAway.Init") // Each test opens its own.
    private TailnetFixture tailnet;

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    private void start(LabOptions shape) {
        tailnet = TailnetFixture.of(shape);
    }

    /** Asserts that all traffic uses the tunnel, and that nothing leaks when its interface is gone. */
    private void assertWorksAndBlocksLeaks(RunningProgram culvert, Family... families) {
        tailnet.selectExitNodeOnPhone();
        tailnet.assertPhoneUsesTunnel(families);
        tailnet.fixture.assertLocalTrafficUsesTunnel(families);

        culvert.signal("STOP");
        tailnet.fixture.namespace().run("ip", "link", "delete", "wg0");
        tailnet.assertPhoneBlocked(families);
        tailnet.fixture.assertLocalTrafficBlocked(families);
        culvert.ignoreEarlierOutput().signal("CONT");
        culvert.awaitLine("tunnel: connected to", ExitNodeFixture.TIMEOUT);
        tailnet.assertPhoneUsesTunnel(families);
    }

    /**
     * Tailscale's workaround for the reverse path filter is a sysctl that it cannot write in a container.
     */
    @ParameterizedTest
    @CsvSource({"0, 0, true", "0, 1, false", "1, 0, true", "1, 1, true"})
    void the_reverse_path_filter_drops_no_client_traffic(int filter, int validMark, boolean readOnly) {
        start(filter == 1 ? LabOptions.DEFAULTS.withStrictReversePath() : LabOptions.DEFAULTS);
        tailnet.fixture
                .namespace()
                .run("sh", "-c", "echo " + validMark + " > /proc/sys/net/ipv4/conf/all/src_valid_mark");
        tailnet.fixture.in(readOnly ? Sandbox.CONTAINER : Sandbox.CONTAINER.withWritableSysctl());

        assertWorksAndBlocksLeaks(tailnet.connect(Map.of()), Family.values());
    }

    @Test
    void a_read_only_container_with_writable_run_works() {
        start(LabOptions.DEFAULTS);
        tailnet.fixture.in(Sandbox.CONTAINER.withReadOnly("/tmp", "/var/lib", "/etc/resolv.conf", "/etc/hosts", "/"));

        assertWorksAndBlocksLeaks(tailnet.connect(Map.of("TS_STATE_DIR", "/run/state")), Family.values());
    }

    @Test
    void a_read_only_container_without_a_state_directory_works_with_writable_run() {
        start(LabOptions.DEFAULTS);
        tailnet.fixture.in(Sandbox.CONTAINER.withReadOnly("/tmp", "/var/lib", "/etc/resolv.conf", "/etc/hosts", "/"));

        tailnet.connect(Map.of("TS_STATE_DIR", ""));

        tailnet.selectExitNodeOnPhone();
        tailnet.assertPhoneUsesTunnel(Family.values());
    }

    @Test
    void a_container_without_IPv6_works_with_any_uplink_name() {
        start(LabOptions.DEFAULTS.uplink("ens18").withoutIpv6());

        RunningProgram culvert = tailnet.connect(Map.of());

        assertWorksAndBlocksLeaks(culvert, Family.IPV4);
        tailnet.assertPhoneBlocked(Family.IPV6);
    }

    @Test
    void an_uplink_named_like_Tailscale_s_interface_is_rejected_and_the_hint_fixes_it() {
        start(LabOptions.DEFAULTS.uplink("tailscale0"));

        for (String command : new String[] {"check", "up"}) {
            CommandResult outcome = tailnet.fixture.run(tailnet.settings(Map.of()), command);
            assertThat(outcome.status()).as(outcome.out() + outcome.err()).isEqualTo(3);
            assertThat(outcome.out() + outcome.err())
                    .contains(
                            "tailscale0",
                            "an interface of this name exists already and is not Tailscale's",
                            "TS_TAILSCALED_EXTRA_ARGS=--tun=tailnet0");
        }
        tailnet.fixture.assertLocalTrafficBlocked(Family.values());

        // As the hint instructs.
        RunningProgram culvert = tailnet.connect(Map.of("TS_TAILSCALED_EXTRA_ARGS", "--tun=tailnet0"));
        assertWorksAndBlocksLeaks(culvert, Family.values());
    }

    /**
     * With a router that does proxy ARP no gateway is needed; otherwise the gateway has to be used.
     */
    @Test
    void an_uplink_with_proxy_ARP_needs_no_gateway() {
        start(LabOptions.DEFAULTS);
        tailnet.lab.router().run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/lan/proxy_arp");
        tailnet.fixture.namespace().ip("route replace default dev eth0");

        assertWorksAndBlocksLeaks(tailnet.connect(Map.of()), Family.values());
    }

    @Test
    void with_an_IPv4_only_provider_IPv6_is_rejected_at_once() {
        start(LabOptions.DEFAULTS);
        Provider provider = tailnet.lab.provider();
        tailnet.lab
                .node()
                .wireGuardFile(
                        "provider.conf",
                        provider.file(provider.publicIpv4() + ":" + Provider.PORT, "0.0.0.0/0")
                                .replaceAll(", fd00:\\S+", ""));
        tailnet.connect(Map.of());
        tailnet.selectExitNodeOnPhone();

        tailnet.assertPhoneUsesTunnel(Family.IPV4);
        tailnet.fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
        for (LabNamespace from : new LabNamespace[] {
            tailnet.fixture.namespace(), tailnet.lab.client().namespace()
        }) {
            // Rejected at once: curl exits with 7 on a refusal, with 28 on a timeout.
            CommandResult refused = from.attempt("curl", "-s", "--max-time", "5", "http://[" + Lab.SERVER_IPV6 + "]/");
            assertThat(refused.status()).as(from.name()).isEqualTo(7);
        }
        assertThat(tailnet.observer.leaks()).isEmpty();
    }
}
