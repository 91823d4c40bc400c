// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code culvert up} and {@code culvert tunnel up} in one network namespace: neither removes the other's kill switch.
 */
@NamespaceTest
class CoexistingTunnelTest {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private CommandResult tunnel(String... arguments) {
        return fixture.lab.node().run(Map.of(), arguments);
    }

    @Test
    void on_a_machine_the_kill_switch_of_the_tunnel_stays_until_the_hint_is_followed() {
        fixture.in(Sandbox.MACHINE);
        fixture.verifyObserverDetectsLeaks(Family.values());
        tunnel("tunnel", "up", "--kill-switch", "provider").outputOrFail();
        fixture.assertLocalTrafficUsesTunnel(Family.values());

        CommandResult refused = fixture.run(ExitNodeFixture.withoutMesh(Map.of()), "up");

        assertThat(refused.status()).as(refused.err()).isEqualTo(3);
        assertThat(refused.err())
                .contains("provider: this tunnel of 'culvert tunnel up' is up")
                .contains("take it down first: culvert tunnel down provider");
        fixture.assertLocalTrafficUsesTunnel(Family.values());

        tunnel("tunnel", "down", "provider").outputOrFail();
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        assertThat(fixture.node.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
    }

    @Test
    void on_a_machine_a_split_tunnel_is_not_removed() {
        fixture.in(Sandbox.MACHINE);
        fixture.lab.node().wireGuardFile("part.conf", partial());
        tunnel("tunnel", "up", "part").outputOrFail();

        CommandResult refused = fixture.run(ExitNodeFixture.withoutMesh(Map.of()), "up");

        assertThat(refused.status()).as(refused.err()).isEqualTo(3);
        assertThat(refused.err()).contains("culvert tunnel down part");
        assertThat(fixture.node.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
    }

    @Test
    void in_a_container_the_tunnel_is_taken_over_and_traffic_stays_blocked() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        tunnel("tunnel", "up", "--kill-switch", "provider").outputOrFail();

        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        fixture.assertLocalTrafficUsesTunnel(Family.values());
        culvert.signal("TERM");
        assertThat(culvert.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();

        fixture.assertLocalTrafficBlocked(Family.values());
    }

    /** A refused start leaves only the nftables layer, no routing rules. */
    @ParameterizedTest
    @ValueSource(strings = {"up", "down"})
    void the_kill_switch_of_a_refused_start_is_not_removed(String command) {
        fixture.lab.node().wireGuardFile("part.conf", partial());
        fixture.verifyObserverDetectsLeaks(Family.values());
        CommandResult start = fixture.run(ExitNodeFixture.withoutMesh(Map.of("CULVERT_SOCKS_PORT", "99999")), "up");
        assertThat(start.err()).contains("kill switch: stays active");

        CommandResult refused = tunnel("tunnel", command, "part");

        assertThat(refused.status()).as(refused.err()).isEqualTo(2);
        assertThat(refused.err())
                .contains("part: 'culvert up' is running in this network namespace, or has left its kill switch");
        fixture.assertLocalTrafficBlocked(Family.values());
    }

    @Test
    void tunnel_commands_are_refused_while_culvert_up_starts_or_runs() {
        fixture.in(Sandbox.MACHINE);
        Map<String, String> container = Map.of("CULVERT_CONTAINER", "true");
        fixture.connect(ExitNodeFixture.withoutMesh(container));

        CommandResult refused = tunnel("tunnel", "up", "--kill-switch", "provider");

        assertThat(refused.status()).as(refused.err()).isEqualTo(2);
        assertThat(refused.err())
                .contains("'culvert up' is running in this network namespace")
                .doesNotContain("tunnel down");
        assertThat(fixture.namespace().run("nft", "list", "tables")).contains("culvert-runs");
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    private String partial() {
        return fixture.lab
                .provider()
                .file(fixture.lab.provider().publicIpv4() + ":" + Provider.PORT, "198.51.100.0/24");
    }
}
