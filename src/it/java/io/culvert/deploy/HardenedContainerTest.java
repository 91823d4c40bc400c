// SPDX-License-Identifier: Apache-2.0
package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.model.RestartPolicy;
import io.culvert.image.CulvertContainer;
import io.culvert.lab.CommandResult;
import io.culvert.lab.DeployTest;
import io.culvert.lab.Headscale;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.Probe;
import io.culvert.net.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How little the image gets by with, and what it says when it gets less. */
@DeployTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HardenedContainerTest {

    private final ContainerLab fixture = ContainerLab.of(LabOptions.DEFAULTS);

    @BeforeAll
    void verifyObserverDetectsLeaks() {
        fixture.verifyObserverDetectsLeaks(Probe.from(fixture.otherContainer("unguarded")));
    }

    @AfterAll
    void closeWorld() {
        fixture.close();
    }

    /** Runs it with these options of {@code podman run} and the provider's file, and returns its result. */
    private CommandResult run(String... options) {
        List<String> command = new ArrayList<>(List.of("run", "--rm", "--network", ContainerLab.NETWORK));
        command.addAll(List.of("--volume", fixture.providerFile() + ":/etc/wireguard/wg0.conf:ro"));
        command.addAll(List.of(options));
        command.add(CulvertContainer.IMAGE);
        return fixture.engine.attempt(command.toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0:0", "1000:1000", "1000:0"})
    void it_runs_with_only_NET_ADMIN_no_new_privileges_and_a_read_only_file_system(String user) throws IOException {
        try (CulvertContainer culvert = fixture.withoutMesh(Map.of("CULVERT_SOCKS", "true"))
                .hardened()
                .withCreateContainerCmdModifier(command -> command.withUser(user))) {
            String id = fixture.start(culvert);

            assertTunnelAndProxyWork(id);
            String status = Files.readString(Path.of("/proc", fixture.engine.inspect(id, ".State.Pid"), "status"));
            // CAP_NET_ADMIN is bit 12: no NET_RAW, nothing else.
            assertThat(status).contains("CapEff:\t0000000000001000", "NoNewPrivs:\t1");

            fixture.engine.run("stop", "--time", "10", id);
            assertThat(fixture.engine.inspect(id, ".State.ExitCode")).isEqualTo("0");
        }
    }

    private void assertTunnelAndProxyWork(String id) {
        Probe probe = Probe.from(fixture.engine.network(id));
        fixture.assertUsesProvider(probe, Family.values());
        assertThat(probe.whoamiBySocks("127.0.0.1", 1080, Family.IPV4)).contains(fixture.provider(Family.IPV4));
        assertThat(fixture.engine.isHealthy(id)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-minimal", "-wireguard"})
    void every_flavour_has_a_tunnel_and_a_proxy(String flavour) {
        try (CulvertContainer culvert = fixture.withoutMesh(image(flavour), Map.of("CULVERT_SOCKS", "true"))
                .hardened()) {
            String id = fixture.start(culvert);

            assertTunnelAndProxyWork(id);
        }
    }

    @Test
    void the_minimal_flavour_is_an_exit_node() {
        try (CulvertContainer culvert =
                fixture.inTailnet(image("-minimal"), "of-minimal", Map.of()).hardened()) {
            String id = fixture.start(culvert);

            fixture.engine.awaitLine(id, "mesh: .*advertises exit node$", ContainerLab.TIMEOUT);
            assertThat(fixture.engine.isHealthy(id)).isTrue();
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    private String image(String flavour) {
        String image = CulvertContainer.IMAGE + flavour;
        Assumptions.assumeTrue(
                fixture.engine.attempt("image", "exists", image).status() == 0,
                "there is no image " + image + ": run 'make image' for every flavour");
        return image;
    }

    @Test
    void it_stays_the_same_node_after_a_restart_as_a_user_other_than_root() {
        try (CulvertContainer culvert = fixture.inTailnet("of-another", Map.of())
                .hardened()
                .withCreateContainerCmdModifier(command -> command.withUser("1000"))) {
            String id = fixture.start(culvert);
            fixture.engine.awaitLine(id, "mesh: .*advertises exit node$", ContainerLab.TIMEOUT);
            long node = fixture.lab.headscale().member(ContainerLab.NODE).id();

            fixture.engine.run("restart", "--time", "10", id);
            fixture.engine.awaitLines(id, "mesh: .*advertises exit node$", 2, ContainerLab.TIMEOUT);

            assertThat(fixture.lab.headscale().members())
                    .filteredOn(member -> member.name().startsWith(ContainerLab.NODE))
                    .extracting(Headscale.Member::id)
                    .containsExactly(node);
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void without_the_capability_it_exits_with_a_hint() {
        CommandResult refused = run("--env", "CULVERT_MESH=none", "--device", "/dev/net/tun");

        assertThat(refused.status()).isEqualTo(3);
        assertThat(refused.err() + refused.out())
                .contains("CAP_NET_ADMIN: is missing")
                .contains("cap_add: [NET_ADMIN]");
    }

    @Test
    void without_the_TUN_device_it_exits_with_a_hint() {
        CommandResult refused = run("--env", "CULVERT_MESH=none", "--cap-add", "NET_ADMIN");

        assertThat(refused.status()).isEqualTo(3);
        assertThat(refused.err() + refused.out())
                .contains("/dev/net/tun: cannot be opened")
                .contains("devices: [/dev/net/tun]");
    }

    @Test
    void without_forwarding_it_exits_with_a_hint_for_each_sysctl() {
        Path mesh = fixture.engine.file("mesh.conf", fixture.lab.client().nodeConfig());
        CommandResult refused = run(
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
    void without_a_writable_run_directory_it_exits_with_a_hint_to_mount_one() {
        CommandResult refused = run(
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
    void it_works_in_the_slirp4netns_network_of_rootless_Podman() {
        Map<String, String> settings = Map.of("CULVERT_LAN_ALLOW", "none", "CULVERT_WIREGUARD_CONFIG", "/by-name.conf");
        try (CulvertContainer culvert = ContainerLab.withMounts(
                fixture.withoutMesh(settings).withNetworkMode("slirp4netns"),
                fixture.providerFileByName() + ":/by-name.conf:ro")) {
            String id = fixture.start(culvert);
            LabNamespace namespace = fixture.engine.network(id);

            assertThat(namespace.run("ip", "-o", "link", "show", "tap0")).contains(" mtu 65520 ");
            assertThat(namespace.run("ip", "-o", "link", "show", "wg0")).contains(" mtu 1420 ");
            assertThat(culvert.getLogs())
                    .contains("warn: tap0: has the IPv6 address fd00::")
                    .contains("podman network create --ipv6");
            fixture.assertUsesProvider(Probe.from(namespace), Family.values());
            // slirp4netns's resolver is used for bootstrap DNS queries only.
            assertThat(Probe.from(namespace).resolve("10.0.2.3", "asked.example", Family.IPV4))
                    .containsExactly(Lab.SERVER_IPV4);
            assertThat(fixture.lab.internet().queries().stream()
                            .filter(query -> query.name().equals("asked.example."))
                            .toList())
                    .isNotEmpty()
                    .allMatch(query -> query.sourceAddress().equals(fixture.provider(Family.IPV4)));
        }
    }

    @Test
    void the_container_engines_resolver_receives_only_bootstrap_DNS_queries() {
        try (CulvertContainer culvert = ContainerLab.withMounts(
                fixture.withoutMesh(Map.of("CULVERT_WIREGUARD_CONFIG", "/by-name.conf")),
                fixture.providerFileByName() + ":/by-name.conf:ro")) {
            String id = fixture.start(culvert);

            fixture.assertUsesProvider(Probe.from(fixture.engine.network(id)), Family.values());
        }
    }

    @Test
    void the_restart_policy_restarts_it_after_a_kill() throws IOException {
        try (CulvertContainer culvert = fixture.withoutMesh(Map.of())
                .host(config -> config.withRestartPolicy(RestartPolicy.unlessStoppedRestart()))) {
            String id = fixture.start(culvert);

            CommandResult.of(List.of("kill", "-KILL", fixture.engine.inspect(id, ".State.Pid")))
                    .outputOrFail();
            fixture.engine.awaitLines(id, "^ready", 2, ContainerLab.TIMEOUT);

            assertThat(fixture.engine.inspect(id, ".RestartCount")).isEqualTo("1");
            fixture.assertUsesProvider(Probe.from(fixture.engine.network(id)), Family.values());
        }
    }
}
