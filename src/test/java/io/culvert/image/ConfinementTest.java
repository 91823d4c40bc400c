package io.culvert.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.model.Capability;
import io.culvert.lab.Outcome;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * However little the container is allowed beside {@code NET_ADMIN}, all of it works: guard, tunnel, names, proxy,
 * health.
 */
@ContainerTest
class ConfinementTest {

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
        USUAL,
        ORDINARY_USER,
        HARDENED,
        HARDENED_ORDINARY_USER,
        WITHOUT_NET_RAW;

        CulvertContainer of(CulvertContainer container) {
            return switch (this) {
                case USUAL -> container;
                case ORDINARY_USER -> container.user(1000);
                case HARDENED -> container.hardened();
                case HARDENED_ORDINARY_USER -> container.hardened().user(1000);
                case WITHOUT_NET_RAW -> container.host(host -> host.withCapDrop(Capability.NET_RAW));
            };
        }
    }

    @ParameterizedTest
    @EnumSource
    void it_runs_with_one_capability_and_whoever_it_is(Confinement confinement) {
        Map<String, String> settings = Map.of(
                "CULVERT_MESH", "none",
                "CULVERT_SOCKS", "true",
                "CULVERT_SOCKS_USER", "anna",
                "CULVERT_SOCKS_PASSWORD", "a secret");
        try (CulvertContainer culvert = confinement.of(new CulvertContainer(settings).wireGuardFile(PROVIDER))) {
            culvert.start();
            culvert.awaitLine("mesh: none");

            assertThat(culvert.run("culvert", "health"))
                    .returns(1, Outcome::status)
                    .extracting(Outcome::out)
                    .asString()
                    .contains("unhealthy: connecting");
            assertThat(culvert.run("culvert", "status").out())
                    .contains("nftables active", "routing active", "dante running", "wireguard-go wg0 running");
            assertThat(culvert.getLogs()).contains(CulvertContainer.GUARDED).doesNotContain("a secret");
            assertThat(culvert.end("TERM")).isZero();
        }
    }

    @Test
    void a_user_whose_directory_it_is_not_is_told_where_the_node_s_identity_is_kept() {
        Map<String, String> settings = Map.of("TS_STATE_DIR", "/var/lib/tailscale");
        try (CulvertContainer culvert =
                new CulvertContainer(settings).wireGuardFile(PROVIDER).user(1000)) {
            culvert.start();
            culvert.awaitLine("TS_STATE_DIR: note: /var/lib/tailscale belongs to another user:"
                    + " the node's state is kept in /var/lib/tailscale/state");
        }
    }
}
