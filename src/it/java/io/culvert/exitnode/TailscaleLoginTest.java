// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Headscale;
import io.culvert.lab.Lab;
import io.culvert.lab.Probe;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.TailnetTest;
import io.culvert.net.Family;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * A failed login is reported with its reason and a hint, and a pending one with its URL. The tunnel works meanwhile, and
 * no key is logged, even at debug level. Each test has its own node in one tailnet.
 */
@TailnetTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TailscaleLoginTest {

    private final TailnetFixture tailnet = TailnetFixture.defaultSettings();
    private final Headscale headscale = tailnet.lab.headscale();
    private final List<RunningProgram> nodes = new ArrayList<>();
    private final List<String> keys = new ArrayList<>();

    /** Tailscale queries relays, built-in and configured ones, for the control server's address when it does not respond. */
    @BeforeAll
    void allowBootstrapQueries() {
        tailnet.observer.allow(
                "Tailscale's bootstrap queries to relays, by HTTPS",
                packet -> packet.destinationPort() == 443
                        && (!packet.isToLab()
                                || packet.isTo(Headscale.ADDRESS_IPV4)
                                || packet.isTo(Headscale.ADDRESS_IPV6)));
    }

    @AfterEach
    void no_key_was_logged_and_nothing_leaked() {
        for (RunningProgram node : nodes) {
            if (node.isAlive()) {
                stop(node);
            }
            keys.forEach(key -> assertThat(node.output()).doesNotContain(key));
        }
        nodes.clear();
        assertThat(tailnet.observer.leaks()).isEmpty();
    }

    @AfterAll
    void closeLab() {
        tailnet.close();
    }

    private Map<String, String> settings(String name, String key) {
        keys.add(key);
        Map<String, String> settings = headscale.settings(name, key);
        settings.put("TS_STATE_DIR", "/var/lib/" + name);
        settings.put("CULVERT_LOG", "debug");
        return settings;
    }

    private static Map<String, String> and(Map<String, String> settings, String... more) {
        Map<String, String> all = new HashMap<>(settings);
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return all;
    }

    private RunningProgram start(Map<String, String> settings) {
        RunningProgram culvert = tailnet.fixture.start(settings);
        nodes.add(culvert);
        return culvert;
    }

    private static void stop(RunningProgram culvert) {
        culvert.signal("TERM");
        assertThat(culvert.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
    }

    private void awaitLog(RunningProgram culvert, String expression) {
        culvert.awaitLine(expression, ExitNodeFixture.TIMEOUT);
    }

    /** Whatever fails in the tailnet. */
    private void assertTunnelWorks(RunningProgram culvert) {
        awaitLog(culvert, "^ready");
        tailnet.fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @Test
    void a_single_use_key_is_used_twice() {
        String key = headscale.singleUseKey();
        RunningProgram first = start(settings("first", key));
        TailnetFixture.awaitExitNode(first);
        stop(first);

        RunningProgram second = start(settings("second", key));

        awaitLog(second, "warn: TS_AUTHKEY: the auth key has already been used");
        awaitLog(second, "reusable key");
        assertTunnelWorks(second);
        assertThat(tailnet.fixture.status().mesh()).contains("the auth key has already been used");
        // A node with saved state needs no key, used or not.
        stop(second);
        TailnetFixture.awaitExitNode(start(settings("first", key)));
    }

    @Test
    void an_expired_key_is_reported() {
        RunningProgram culvert = start(settings("late", headscale.expiredKey()));

        awaitLog(culvert, "warn: TS_AUTHKEY: the auth key has expired");
        assertTunnelWorks(culvert);
    }

    @Test
    void an_unknown_key_is_reported() {
        RunningProgram culvert = start(settings("wrong", "hskey-auth-000000000000-" + "0".repeat(64)));

        awaitLog(culvert, "warn: TS_AUTHKEY: the control server does not accept the auth key");
        assertTunnelWorks(culvert);
    }

    @Test
    void without_a_key_the_node_waits_for_an_interactive_login() {
        Map<String, String> settings = settings("person", headscale.key());
        settings.remove("TS_AUTHKEY");
        RunningProgram culvert = start(settings);

        String address = culvert.awaitLine("waiting for login: (https://\\S+)", ExitNodeFixture.TIMEOUT)
                .group(1);
        assertThat(address).startsWith(Headscale.URL);
        assertTunnelWorks(culvert);
        assertThat(tailnet.fixture.status().mesh()).contains("waiting for login: " + address);

        headscale.register(address);

        TailnetFixture.awaitExitNode(culvert);
        assertThat(tailnet.fixture.status().mesh()).doesNotContain("login");
    }

    @Test
    void an_unreachable_control_server_is_reported_and_the_node_recovers() {
        Map<String, String> settings = and(
                settings("patient", headscale.key()), "CULVERT_SOCKS", "true", "CULVERT_SOCKS_ALLOW", "192.0.2.0/26");
        tailnet.observer.allowService(1080);
        headscale.stop();
        RunningProgram culvert = start(settings);
        try {
            awaitLog(culvert, "the control server cannot be reached; the tunnel and the proxy keep working");
            assertTunnelWorks(culvert);
            assertThat(Probe.from(tailnet.lab.lanHost()).whoamiBySocks(Lab.NODE_IPV4, 1080, Family.IPV4))
                    .contains(tailnet.fixture.provider(Family.IPV4));
        } finally {
            headscale.start();
        }
        TailnetFixture.awaitExitNode(culvert);
        assertThat(tailnet.fixture.status().mesh()).doesNotContain("cannot be reached");
    }

    @Test
    void a_server_certificate_that_is_expired_by_the_local_clock_is_reported() {
        Map<String, String> settings = settings("clock", headscale.key());
        headscale.stop();
        headscale.startWithFutureCertificate();
        RunningProgram culvert = start(settings);
        try {
            awaitLog(
                    culvert,
                    "warn: clock: the control server's certificate is expired or not yet valid, according to this clock");
            assertTunnelWorks(culvert);
        } finally {
            headscale.stop();
            headscale.useTrustedCertificate();
            headscale.start();
        }
        TailnetFixture.awaitExitNode(culvert);
    }

    @Test
    void a_node_that_was_removed_logs_in_again_with_its_key() {
        Map<String, String> settings = settings("thrown", headscale.key());
        RunningProgram culvert = start(settings);
        TailnetFixture.awaitExitNode(culvert);

        headscale.delete("thrown");
        // The node is not notified; it notices when it next connects.
        headscale.stop();
        headscale.start();

        awaitLog(culvert, "does not know this node: it was removed from the tailnet");
        assertTunnelWorks(culvert);
        stop(culvert);
        TailnetFixture.awaitExitNode(start(settings));
        assertThat(headscale.member("thrown").addresses()).contains(tailnet.address(Family.IPV4));
    }

    @Test
    void a_node_whose_key_expired_logs_in_again_with_its_auth_key() {
        RunningProgram culvert = start(settings("expired", headscale.key()));
        TailnetFixture.awaitExitNode(culvert);
        long id = headscale.member("expired").id();

        culvert.ignoreEarlierOutput();
        headscale.expire("expired");

        awaitLog(culvert, "the node is logged out");
        awaitLog(culvert, "mesh: .*advertises exit node$");
        assertThat(headscale.member("expired").id()).isEqualTo(id);
    }

    @Test
    void a_changed_node_name_is_reported() {
        tailnet.lab.phone();
        RunningProgram culvert = start(settings("phone", headscale.key()));

        awaitLog(
                culvert,
                "warn: TS_HOSTNAME: the tailnet already has a node named 'phone', so this node is named 'phone-");
        TailnetFixture.awaitExitNode(culvert);
    }

    @Test
    void flags_that_are_no_longer_set_are_reset() {
        Map<String, String> settings = settings("less", headscale.key());
        String arguments = settings.get("TS_EXTRA_ARGS");
        RunningProgram before = start(and(settings, "TS_EXTRA_ARGS", arguments + " --shields-up --accept-routes"));
        TailnetFixture.awaitExitNode(before);
        stop(before);

        RunningProgram culvert = start(settings);

        awaitLog(
                culvert,
                "TS_EXTRA_ARGS: note: flags in the node's saved state that are not set any more are reset: .*--shields-up");
        TailnetFixture.awaitExitNode(culvert);
        tailnet.tailscale().awaitPrefs("\"ShieldsUp\": false", "\"RouteAll\": false");
    }

    @Test
    void with_TS_AUTH_ONCE_changed_flags_are_applied() {
        Map<String, String> settings = and(settings("once", headscale.key()), "TS_AUTH_ONCE", "true");
        String arguments = settings.get("TS_EXTRA_ARGS");
        RunningProgram before = start(settings);
        TailnetFixture.awaitExitNode(before);
        stop(before);

        RunningProgram culvert =
                start(and(settings, "TS_EXTRA_ARGS", arguments + " --shields-up --advertise-tags=tag:a"));

        awaitLog(culvert, "TS_EXTRA_ARGS: note: applied to the node, which is already logged in: --shields-up=true");
        awaitLog(culvert, "--advertise-tags needs a new login, which TS_AUTH_ONCE=true prevents");
        TailnetFixture.awaitExitNode(culvert);
        tailnet.tailscale().awaitPrefs("\"ShieldsUp\": true");
    }

    @Test
    void an_unwritable_state_directory_is_reported() {
        // Read-only, like a volume mounted with :ro.
        CommandResult refused = tailnet.fixture.run(
                and(settings("readonly", headscale.key()), "TS_STATE_DIR", "/proc/sys/kernel"), "up");

        assertThat(refused.status()).isEqualTo(3);
        assertThat(refused.err())
                .contains("TS_STATE_DIR: /proc/sys/kernel is not writable")
                .contains("mount it without :ro")
                .doesNotContain(keys.getLast());
    }
}
