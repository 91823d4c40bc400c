package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Headscale;
import io.culvert.lab.Lab;
import io.culvert.lab.Outcome;
import io.culvert.lab.Probe;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * A login that does not work says why, and what to do; one that waits for a person says so. The tunnel serves meanwhile, and
 * no key is ever shown, not even to who wants to see everything. Each story has a node of its own in the one tailnet.
 */
@Tag("tailnet")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TailscaleLoginTest {

    private final Tailnet tailnet = Tailnet.usual();
    private final Headscale headscale = tailnet.lab.headscale();
    private final List<Child> nodes = new ArrayList<>();
    private final List<String> keys = new ArrayList<>();

    /** Relays, those it knows by heart and those it was told of, are asked where the control server is when that does not answer. */
    @BeforeAll
    void allowTailscalesOwnQuestions() {
        tailnet.observer.allow(
                "Tailscale's questions to relays, by HTTPS",
                packet -> packet.destinationPort() == 443
                        && (!packet.isToLab() || packet.isTo(Headscale.ADDRESS_4) || packet.isTo(Headscale.ADDRESS_6)));
    }

    @AfterEach
    void no_key_was_shown_and_nothing_leaked() {
        for (Child node : nodes) {
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

    private Child start(Map<String, String> settings) {
        Child culvert = tailnet.world.start(settings);
        nodes.add(culvert);
        return culvert;
    }

    private static void stop(Child culvert) {
        culvert.signal("TERM");
        assertThat(culvert.awaitExit(World.SOON)).isZero();
    }

    private void says(Child culvert, String expression) {
        culvert.awaitLine(expression, World.SOON);
    }

    /** Whatever is the matter with the tailnet. */
    private void theTunnelServes(Child culvert) {
        says(culvert, "^ready");
        tailnet.world.localTrafficGoesByTheProvider(Family.values());
    }

    @Test
    void a_key_for_one_node_is_used_twice() {
        String key = headscale.singleUseKey();
        Child first = start(settings("first", key));
        Tailnet.connected(first);
        stop(first);

        Child second = start(settings("second", key));

        says(second, "TS_AUTHKEY: warning: the auth key has already been used");
        says(second, "reusable key");
        theTunnelServes(second);
        assertThat(tailnet.world.status().mesh()).contains("the auth key has already been used");
        // Who keeps its state needs no key, used or not.
        stop(second);
        Tailnet.connected(start(settings("first", key)));
    }

    @Test
    void a_key_has_expired() {
        Child culvert = start(settings("late", headscale.expiredKey()));

        says(culvert, "TS_AUTHKEY: warning: the auth key has expired");
        theTunnelServes(culvert);
    }

    @Test
    void a_key_is_no_key_of_this_server() {
        Child culvert = start(settings("wrong", "hskey-auth-000000000000-" + "0".repeat(64)));

        says(culvert, "TS_AUTHKEY: warning: the control server does not accept the auth key");
        theTunnelServes(culvert);
    }

    @Test
    void nobody_gave_a_key_and_a_person_logs_in_later() {
        Map<String, String> settings = settings("person", headscale.key());
        settings.remove("TS_AUTHKEY");
        Child culvert = start(settings);

        String address = culvert.awaitLine("waiting for login: (https://\\S+)", World.SOON)
                .group(1);
        assertThat(address).startsWith(Headscale.URL);
        theTunnelServes(culvert);
        assertThat(tailnet.world.status().mesh()).contains("waiting for login: " + address);

        headscale.register(address);

        Tailnet.connected(culvert);
        assertThat(tailnet.world.status().mesh()).doesNotContain("login");
    }

    @Test
    void the_control_server_cannot_be_reached_and_returns() {
        Map<String, String> settings = and(
                settings("patient", headscale.key()), "CULVERT_SOCKS", "true", "CULVERT_SOCKS_ALLOW", "192.0.2.0/26");
        tailnet.observer.allowService(1080);
        headscale.die();
        Child culvert = start(settings);
        try {
            says(culvert, "the control server cannot be reached; the tunnel and the proxy keep working");
            theTunnelServes(culvert);
            assertThat(Probe.from(tailnet.lab.neighbour()).whoamiBySocks(Lab.NODE_4, 1080, Family.IPV4))
                    .contains(tailnet.world.provider(Family.IPV4));
        } finally {
            headscale.live();
        }
        Tailnet.connected(culvert);
        assertThat(tailnet.world.status().mesh()).doesNotContain("cannot be reached");
    }

    @Test
    void the_server_s_certificate_is_not_valid_at_the_time_it_is_here() {
        Map<String, String> settings = settings("clock", headscale.key());
        headscale.die();
        headscale.liveTomorrow();
        Child culvert = start(settings);
        try {
            says(
                    culvert,
                    "clock: warning: the control server's certificate is expired or not yet valid, according to this clock");
            theTunnelServes(culvert);
        } finally {
            headscale.die();
            headscale.certifyAsUsual();
            headscale.live();
        }
        Tailnet.connected(culvert);
    }

    @Test
    void a_node_is_thrown_out_and_has_a_key_to_return_with() {
        Map<String, String> settings = settings("thrown", headscale.key());
        Child culvert = start(settings);
        Tailnet.connected(culvert);

        headscale.delete("thrown");
        // Nobody tells the node, which learns it when it next connects.
        headscale.die();
        headscale.live();

        says(culvert, "does not know this node: it was removed from the tailnet");
        theTunnelServes(culvert);
        stop(culvert);
        Tailnet.connected(start(settings));
        assertThat(headscale.member("thrown").addresses()).contains(tailnet.address(Family.IPV4));
    }

    @Test
    void a_node_s_login_expires_and_it_has_a_key_to_return_with() {
        Child culvert = start(settings("expired", headscale.key()));
        Tailnet.connected(culvert);
        long id = headscale.member("expired").id();

        culvert.fromNow();
        headscale.expire("expired");

        says(culvert, "the node is logged out");
        says(culvert, "mesh: .*offers exit node$");
        assertThat(headscale.member("expired").id()).isEqualTo(id);
    }

    @Test
    void the_tailnet_has_a_node_of_this_name_already() {
        tailnet.lab.phone();
        Child culvert = start(settings("phone", headscale.key()));

        says(
                culvert,
                "TS_HOSTNAME: warning: the tailnet already has a node named 'phone', so this node is named 'phone-");
        Tailnet.connected(culvert);
    }

    @Test
    void a_node_that_was_told_more_before_is_told_less_now() {
        Map<String, String> settings = settings("less", headscale.key());
        String arguments = settings.get("TS_EXTRA_ARGS");
        Child before = start(and(settings, "TS_EXTRA_ARGS", arguments + " --shields-up --accept-routes"));
        Tailnet.connected(before);
        stop(before);

        Child culvert = start(settings);

        says(
                culvert,
                "TS_EXTRA_ARGS: note: flags in the node's saved state that are not set any more are reset: .*--shields-up");
        Tailnet.connected(culvert);
        tailnet.tailscale().awaitPrefs("\"ShieldsUp\": false", "\"RouteAll\": false");
    }

    @Test
    void a_node_that_logs_in_once_is_told_what_has_changed_all_the_same() {
        Map<String, String> settings = and(settings("once", headscale.key()), "TS_AUTH_ONCE", "true");
        String arguments = settings.get("TS_EXTRA_ARGS");
        Child before = start(settings);
        Tailnet.connected(before);
        stop(before);

        Child culvert = start(and(settings, "TS_EXTRA_ARGS", arguments + " --shields-up --advertise-tags=tag:a"));

        says(culvert, "TS_EXTRA_ARGS: note: applied to the node, which is already logged in: --shields-up=true");
        says(culvert, "--advertise-tags needs a new login, which TS_AUTH_ONCE=true prevents");
        Tailnet.connected(culvert);
        tailnet.tailscale().awaitPrefs("\"ShieldsUp\": true");
    }

    @Test
    void the_state_cannot_be_written() {
        // Read-only here, as a volume is that was mounted with :ro.
        Outcome refused =
                tailnet.world.run(and(settings("readonly", headscale.key()), "TS_STATE_DIR", "/proc/sys/kernel"), "up");

        assertThat(refused.status()).isEqualTo(3);
        assertThat(refused.err())
                .contains("TS_STATE_DIR: /proc/sys/kernel is not writable")
                .contains("mount it without :ro")
                .doesNotContain(keys.getLast());
    }
}
