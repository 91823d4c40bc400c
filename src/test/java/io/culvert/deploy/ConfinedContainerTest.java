package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.model.RestartPolicy;
import io.culvert.image.CulvertContainer;
import io.culvert.ip.Family;
import io.culvert.lab.Headscale;
import io.culvert.lab.Lab;
import io.culvert.lab.Namespace;
import io.culvert.lab.Outcome;
import io.culvert.lab.Probe;
import io.culvert.lab.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How little the image gets by with, and what it says when it gets less. */
@Tag("deploy")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ConfinedContainerTest {

    private final ContainerWorld world = ContainerWorld.of(Shape.USUAL);

    @BeforeAll
    void observerIsNotBlind() {
        world.observerIsNotBlind(Probe.from(world.sibling("unguarded")));
    }

    @AfterAll
    void closeWorld() {
        world.close();
    }

    /** Runs it to its end with these options of {@code podman run} and the provider's file. */
    private Outcome run(String... options) {
        List<String> command = new ArrayList<>(List.of("run", "--rm", "--network", ContainerWorld.NETWORK));
        command.addAll(List.of("--volume", world.providerFile() + ":/etc/wireguard/wg0.conf:ro"));
        command.addAll(List.of(options));
        command.add(CulvertContainer.IMAGE);
        return world.engine.attempt(command.toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0:0", "1000:1000", "1000:0"})
    void no_capability_but_NET_ADMIN_no_new_privileges_and_nothing_that_can_be_written(String user) throws IOException {
        try (CulvertContainer culvert = world.alone(Map.of("CULVERT_SOCKS", "true"))
                .hardened()
                .withCreateContainerCmdModifier(command -> command.withUser(user))) {
            String id = world.start(culvert);
            Namespace space = world.engine.network(id);

            world.goesByTheProvider(Probe.from(space), Family.values());
            assertThat(Probe.from(space).whoamiBySocks("127.0.0.1", 1080, Family.IPV4))
                    .contains(world.provider(Family.IPV4));
            assertThat(world.engine.isHealthy(id)).isTrue();
            String status = Files.readString(Path.of("/proc", world.engine.inspect(id, ".State.Pid"), "status"));
            // CAP_NET_ADMIN is bit 12: no NET_RAW, nothing else.
            assertThat(status).contains("CapEff:\t0000000000001000", "NoNewPrivs:\t1");

            world.engine.run("stop", "--time", "10", id);
            assertThat(world.engine.inspect(id, ".State.ExitCode")).isEqualTo("0");
        }
    }

    @Test
    void whoever_is_not_root_stays_the_same_node_too() {
        try (CulvertContainer culvert = world.inTailnet("of-another", Map.of())
                .hardened()
                .withCreateContainerCmdModifier(command -> command.withUser("1000"))) {
            String id = world.start(culvert);
            world.engine.awaitLine(id, "mesh: .*offers exit node$", ContainerWorld.SOON);
            long node = world.lab.headscale().member(ContainerWorld.NODE).id();

            world.engine.run("restart", "--time", "10", id);
            world.engine.awaitLines(id, "mesh: .*offers exit node$", 2, ContainerWorld.SOON);

            assertThat(world.lab.headscale().members())
                    .filteredOn(member -> member.name().startsWith(ContainerWorld.NODE))
                    .extracting(Headscale.Member::id)
                    .containsExactly(node);
        }
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void without_the_capability_it_ends_and_says_how_to_give_it() {
        Outcome refused = run("--env", "CULVERT_MESH=none", "--device", "/dev/net/tun");

        assertThat(refused.status()).isEqualTo(3);
        assertThat(refused.err() + refused.out())
                .contains("CAP_NET_ADMIN: is missing")
                .contains("cap_add: [NET_ADMIN]");
    }

    @Test
    void without_the_device_it_ends_and_says_how_to_give_it() {
        Outcome refused = run("--env", "CULVERT_MESH=none", "--cap-add", "NET_ADMIN");

        assertThat(refused.status()).isEqualTo(3);
        assertThat(refused.err() + refused.out())
                .contains("/dev/net/tun: cannot be opened")
                .contains("devices: [/dev/net/tun]");
    }

    @Test
    void without_forwarding_it_names_each_missing_sysctl_and_how_to_set_it() {
        Path mesh = world.engine.file("mesh.conf", world.lab.client().nodeFile());
        Outcome refused = run(
                "--env",
                "CULVERT_MESH=wireguard",
                "--env",
                "CULVERT_MESH_CONFIG=/mesh.conf",
                "--volume",
                mesh + ":/mesh.conf:ro",
                "--device",
                "/dev/net/tun",
                "--cap-add",
                "NET_ADMIN");

        assertThat(refused.status()).isEqualTo(3);
        assertThat(refused.err() + refused.out())
                .contains(
                        "net.ipv4.ip_forward: is 0 and read-only, so traffic of exit-node clients cannot be forwarded")
                .contains("compose: sysctls: [net.ipv4.ip_forward=1]")
                .contains(
                        "net.ipv6.conf.all.forwarding: is 0 and read-only, so traffic of exit-node clients cannot be forwarded")
                .contains("--sysctl net.ipv6.conf.all.forwarding=1");
    }

    @Test
    void as_another_user_without_a_run_directory_of_its_own_it_says_what_to_mount() {
        Outcome refused = run(
                "--env",
                "CULVERT_MESH=none",
                "--device",
                "/dev/net/tun",
                "--cap-add",
                "NET_ADMIN",
                "--user",
                "1000:1000",
                "--read-only",
                "--read-only-tmpfs=false");

        assertThat(refused.status()).isEqualTo(3);
        assertThat(refused.err() + refused.out())
                .contains("/run/wireguard: the userspace WireGuard needs this directory for its sockets, but ")
                .contains("`tmpfs: /run` in a compose file");
    }

    @Test
    void the_usual_network_of_rootless_Podman_has_odd_names_sizes_and_resolvers() {
        Map<String, String> settings = Map.of("CULVERT_LAN_ALLOW", "none", "CULVERT_WIREGUARD_CONFIG", "/by-name.conf");
        try (CulvertContainer culvert = ContainerWorld.mounting(
                world.alone(settings).withNetworkMode("slirp4netns"),
                world.providerFileByName() + ":/by-name.conf:ro")) {
            String id = world.start(culvert);
            Namespace space = world.engine.network(id);

            assertThat(space.run("ip", "-o", "link", "show", "tap0")).contains(" mtu 65520 ");
            assertThat(space.run("ip", "-o", "link", "show", "wg0")).contains(" mtu 1420 ");
            assertThat(culvert.getLogs())
                    .contains("tap0: warning: has the IPv6 address fd00::")
                    .contains("podman network create --ipv6");
            world.goesByTheProvider(Probe.from(space), Family.values());
            // slirp4netns's own resolver is asked for the server only.
            assertThat(Probe.from(space).resolve("10.0.2.3", "asked.example", Family.IPV4))
                    .containsExactly(Lab.SERVER_4);
            assertThat(world.lab.internet().questions().stream()
                            .filter(question -> question.name().equals("asked.example."))
                            .toList())
                    .isNotEmpty()
                    .allMatch(question -> question.asker().equals(world.provider(Family.IPV4)));
        }
    }

    @Test
    void the_resolver_of_the_engine_s_networks_is_asked_for_the_server_and_nothing_else() {
        try (CulvertContainer culvert = ContainerWorld.mounting(
                world.alone(Map.of("CULVERT_WIREGUARD_CONFIG", "/by-name.conf")),
                world.providerFileByName() + ":/by-name.conf:ro")) {
            String id = world.start(culvert);

            world.goesByTheProvider(Probe.from(world.engine.network(id)), Family.values());
        }
    }

    @Test
    void killed_from_outside_it_is_started_again_by_its_restart_policy() throws IOException {
        try (CulvertContainer culvert =
                world.alone(Map.of()).host(config -> config.withRestartPolicy(RestartPolicy.unlessStoppedRestart()))) {
            String id = world.start(culvert);

            Outcome.of(List.of("kill", "-KILL", world.engine.inspect(id, ".State.Pid")))
                    .orFail();
            world.engine.awaitLines(id, "^ready", 2, ContainerWorld.SOON);

            assertThat(world.engine.inspect(id, ".RestartCount")).isEqualTo("1");
            world.goesByTheProvider(Probe.from(world.engine.network(id)), Family.values());
        }
    }
}
