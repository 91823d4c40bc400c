// SPDX-License-Identifier: Apache-2.0
package io.culvert.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.model.Capability;
import io.culvert.lab.CommandResult;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * With no privilege but {@code NET_ADMIN} everything works: kill switch, tunnel, DNS, proxy, health.
 */
@RequiresPodman
class ContainerConfinementTest {

    static final String PROVIDER = """
            [Interface]
            PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
            Address = 10.64.0.2/32, fd00:64::2/128
            DNS = 10.64.0.1
            [Peer]
            PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
            AllowedIPs = 0.0.0.0/0, ::/0
            Endpoint = 203.0.113.10:51820
            """;

    enum Confinement {
        DEFAULT,
        ORDINARY_USER,
        HARDENED,
        HARDENED_ORDINARY_USER,
        WITHOUT_NET_RAW;

        CulvertContainer of(CulvertContainer container) {
            return switch (this) {
                case DEFAULT -> container;
                case ORDINARY_USER -> container.user(1000);
                case HARDENED -> container.hardened();
                case HARDENED_ORDINARY_USER -> container.hardened().user(1000);
                case WITHOUT_NET_RAW -> container.host(host -> host.withCapDrop(Capability.NET_RAW));
            };
        }
    }

    @ParameterizedTest
    @EnumSource
    void it_runs_confined(Confinement confinement) {
        Map<String, String> settings = Map.of(
                "CULVERT_MESH", "none",
                "CULVERT_SOCKS", "true",
                "CULVERT_SOCKS_USER", "anna",
                "CULVERT_SOCKS_PASSWORD", "a secret");
        try (CulvertContainer culvert = confinement.of(new CulvertContainer(settings).wireGuardFile(PROVIDER))) {
            culvert.start();
            culvert.awaitLine("mesh: none");

            assertThat(culvert.run("culvert", "health"))
                    .returns(1, CommandResult::status)
                    .extracting(CommandResult::out)
                    .asString()
                    .contains("unhealthy: connecting");
            assertThat(culvert.run("culvert", "status").out())
                    .contains("nftables active", "routing active", "dante running", "wireguard-go wg0 running");
            assertThat(culvert.getLogs())
                    .contains(CulvertContainer.KILL_SWITCH_ACTIVE)
                    .doesNotContain("a secret");
            assertThat(culvert.stopBySignal("TERM")).isZero();
        }
    }

    @Test
    void a_state_directory_of_another_user_is_replaced_and_logged() {
        Map<String, String> settings = Map.of("TS_STATE_DIR", "/var/lib/tailscale");
        try (CulvertContainer culvert =
                new CulvertContainer(settings).wireGuardFile(PROVIDER).user(1000)) {
            culvert.start();
            culvert.awaitLine("TS_STATE_DIR: note: /var/lib/tailscale belongs to another user:"
                    + " the node's state is kept in /var/lib/tailscale/state");
        }
    }
}
