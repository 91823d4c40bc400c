// SPDX-License-Identifier: Apache-2.0
package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.image.CulvertContainer;
import io.culvert.lab.Certificate;
import io.culvert.lab.CommandResult;
import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.DeployTest;
import io.culvert.lab.GoProgram;
import io.culvert.lab.Headscale;
import io.culvert.lab.Lab;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Runs every shipped compose example with podman-compose. A second compose file adds what is specific to the lab: addresses and
 * names of its servers, the tested image, keys and trusted certificates.
 */
@DeployTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ComposeExamplesTest {

    private static final Path EXAMPLES = Path.of("compose-examples");
    private static final String LOGIN = "--login-server=" + Headscale.URL;

    private final ContainerLab fixture = ContainerLab.of(LabOptions.DEFAULTS.providers(2));
    private final Probe phone = Probe.from(fixture.lab.client().namespace());
    private final List<Path> running = new ArrayList<>();

    @BeforeAll
    void verifyObserverDetectsLeaks() {
        fixture.verifyObserverDetectsLeaks(Probe.from(fixture.otherContainer("unguarded")));
        // ICMP port unreachable from the machine.
        fixture.observer.allowService(1080);
        // As on a machine that lets users listen on ports 80 and 443.
        fixture.lab.node().namespace().run("sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start");
    }

    @BeforeEach
    void resetObserver() {
        fixture.observer.reset();
    }

    @AfterEach
    void takeDown() {
        Map<String, Integer> leaks = fixture.observer.leaks();
        fixture.lab.client().leaveExitNode();
        running.forEach(directory ->
                compose(directory, "down", "--timeout", "5", "--volumes").outputOrFail());
        running.clear();
        assertThat(leaks).isEmpty();
    }

    @AfterAll
    void closeWorld() {
        fixture.close();
    }

    /** Copies an example, and adds the provider's file with this name and the lab's compose file. */
    private Path example(String name, String providerFile, String labCompose) {
        Path directory = fixture.engine.copy(EXAMPLES.resolve(name));
        fixture.engine.file(name + "/" + providerFile, fixture.lab.provider().file());
        fixture.engine.file(name + "/lab.yaml", labCompose.replace("IMAGE", CulvertContainer.IMAGE));
        return directory;
    }

    private CommandResult compose(Path directory, String... arguments) {
        List<String> all = new ArrayList<>(List.of("--file", "compose.yaml", "--file", "lab.yaml"));
        all.addAll(List.of(arguments));
        return fixture.engine.compose(
                directory, Map.of("TS_AUTHKEY", fixture.lab.headscale().key()), all.toArray(String[]::new));
    }

    /** Starts these services of an example, or all. */
    private void start(Path directory, String... services) {
        if (!running.contains(directory)) {
            running.add(directory);
        }
        List<String> command = new ArrayList<>(List.of("up", "--detach"));
        command.addAll(List.of(services));
        compose(directory, command.toArray(String[]::new)).outputOrFail();
    }

    private static String container(Path directory, String service) {
        return directory.getFileName() + "_" + service + "_1";
    }

    private Probe inside(String container) {
        return Probe.from(fixture.engine.network(container));
    }

    private void awaitReady(String container) {
        fixture.engine.awaitLine(container, "^ready", ContainerLab.TIMEOUT);
        assertThat(fixture.engine.isHealthy(container)).as(container).isTrue();
    }

    private void awaitExitNodeOffer(String container) {
        awaitReady(container);
        fixture.engine.awaitLine(container, "mesh: .*advertises exit node$", ContainerLab.TIMEOUT);
    }

    private void assertPhoneUsesExitNode(String node, String provider4) {
        fixture.lab.phone().useExitNode(node);
        assertThat(phone.whoami(Family.IPV4)).contains(provider4);
        fixture.lab.phone().leaveExitNode();
    }

    @Test
    void tswg_drop_in() {
        Path directory = example("tswg-drop-in", "example.wg0.conf", """
                services:
                  tswg:
                    image: IMAGE
                    # Podman before 4.4 has slirp4netns instead of pasta.
                    network_mode: slirp4netns
                    environment:
                      - TS_EXTRA_ARGS=%s --advertise-exit-node
                      - HOLEPUNCH_ENDPOINTS=%s
                      - TS_AUTHKEY=${TS_AUTHKEY}
                      - TS_NO_LOGS_NO_SUPPORT=true
                    volumes:
                      - %s
                """.formatted(
                        LOGIN, Headscale.ADDRESS_IPV4, fixture.trustedCertificatesVolume()));
        fixture.engine.directory("tswg-drop-in/tailscale");
        start(directory);

        awaitExitNodeOffer("tswg");
        fixture.assertUsesProvider(inside("tswg"), Family.IPV4);
        assertPhoneUsesExitNode("test-exit-node", fixture.provider(Family.IPV4));
    }

    @Test
    void tailscale() {
        Path directory =
                example("tailscale", "provider.conf", """
                services:
                  culvert:
                    image: IMAGE
                    environment: {TS_EXTRA_ARGS: "%s", TS_NO_LOGS_NO_SUPPORT: "true"}
                    volumes: ["%s"]
                """.formatted(LOGIN, fixture.trustedCertificatesVolume()));
        start(directory);
        String culvert = container(directory, "culvert");

        awaitExitNodeOffer(culvert);
        fixture.assertUsesProvider(inside(culvert), Family.values());
        assertPhoneUsesExitNode("vpn-exit", fixture.provider(Family.IPV4));
    }

    @Test
    void headscale_with_an_exit_node_and_a_client() throws IOException {
        Certificate certificate = Certificate.of("headscale.example.com");
        String trusted = fixture.engine.file("trusted-too.pem", certificate.certificate())
                + ":/etc/ssl/certs/ca-certificates.crt:ro";
        Path directory = example("headscale", "provider.conf", """
                services:
                  headscale:
                    volumes: ["./certificate.pem:/certificate.pem:ro", "./key.pem:/key.pem:ro"]
                  culvert:
                    image: IMAGE
                    environment: {TS_NO_LOGS_NO_SUPPORT: "true"}
                    volumes: ["%1$s"]
                  client:
                    environment: {TS_NO_LOGS_NO_SUPPORT: "true"}
                    volumes: ["%1$s"]
                """.formatted(trusted));
        fixture.engine.file("headscale/certificate.pem", certificate.certificate());
        fixture.engine.file("headscale/key.pem", certificate.key());
        // There is no ACME server in the lab.
        String settings = Files.readString(EXAMPLES.resolve("headscale/headscale.yaml"));
        fixture.engine.file(
                "headscale/headscale.yaml",
                settings.replaceAll("(?m)^tls_.*\n", "") + "tls_cert_path: /certificate.pem\ntls_key_path: /key.pem\n");
        fixture.engine.file("headscale/authkey", "");
        createImages();
        fixture.observer.allow(
                "Headscale's update check",
                packet -> packet.destinationPort() == 53 && packet.payload().contains("\6github\3com"));
        fixture.observer.allow(
                "Tailscale's requests to Tailscale's servers while Headscale refuses connections",
                packet -> packet.destinationPort() == 443 && !packet.isTo(Lab.SERVER_IPV4));

        start(directory, "headscale");
        String headscale = container(directory, "headscale");
        fixture.engine.awaitLine(headscale, "listening and serving HTTP on", ContainerLab.TIMEOUT);
        fixture.engine.run("exec", headscale, "headscale", "users", "create", "everybody");
        fixture.engine.file(
                "headscale/authkey",
                fixture.engine.run(
                        "exec", headscale, "headscale", "preauthkeys", "create", "--user", "1", "--reusable"));
        start(directory, "culvert");
        String culvert = container(directory, "culvert");
        awaitExitNodeOffer(culvert);
        assertThat(fixture.observer.leaks()).isEmpty();
        start(directory, "client");
        String client = container(directory, "client");
        fixture.engine.awaitLine(client, "Startup complete", ContainerLab.TIMEOUT);

        try (ContinuousProbe pulse = ContinuousProbe.of(fixture.engine.network(client), Family.IPV4)) {
            pulse.awaitReply(fixture.provider(Family.IPV4), ContainerLab.TIMEOUT);
            assertThat(pulse.seenAddresses()).containsExactly(fixture.provider(Family.IPV4));
        }
        // The client is an ordinary Tailscale, which contacts other servers too; but its traffic used the exit node.
        assertThat(fixture.observer.leaks().keySet()).noneMatch(packet -> packet.contains(Lab.SERVER_IPV4));
        fixture.observer.reset();
    }

    /** Creates stand-ins for the images of Headscale and Tailscale from the lab's programs. */
    private void createImages() {
        fixture.engine.createImage(
                "docker.io/headscale/headscale:0.29",
                Map.of(
                        "ko-app/headscale", GoProgram.path("headscale"),
                        "var/run/headscale", "",
                        "var/lib/headscale", "",
                        "tmp", ""),
                "ENTRYPOINT [\"/ko-app/headscale\"]",
                "ENV PATH=/ko-app");
        fixture.engine.createImage(
                "docker.io/tailscale/tailscale:stable",
                Map.of(
                        "usr/local/bin/containerboot",
                        GoProgram.path("containerboot"),
                        "usr/local/bin/tailscaled",
                        GoProgram.path("tailscaled"),
                        "usr/local/bin/tailscale",
                        GoProgram.path("tailscale"),
                        "var/lib/tailscale",
                        "",
                        "var/run",
                        "",
                        "tmp",
                        ""),
                "ENTRYPOINT [\"/usr/local/bin/containerboot\"]",
                "ENV PATH=/usr/local/bin");
    }

    @Test
    void wireguard_clients() {
        Path directory = example("wireguard-clients", "provider.conf", """
                services:
                  culvert: {image: IMAGE}
                """);
        fixture.engine.file(
                "wireguard-clients/clients.conf", fixture.lab.client().nodeConfig());
        start(directory);
        String culvert = container(directory, "culvert");
        awaitReady(culvert);
        fixture.lab.client().useExitNode();

        fixture.assertUsesProvider(phone, Family.values());
        fixture.assertUsesProvider(inside(culvert), Family.values());
    }

    @Test
    void socks_only() {
        Path directory = example("socks-only", "provider.conf", """
                services:
                  culvert: {image: IMAGE}
                """);
        fixture.engine.file("socks-only/socks-password", "a-secret.of_the_lab\n");
        start(directory);
        awaitReady(container(directory, "culvert"));
        Probe host = Probe.from(fixture.lab.node().namespace());

        assertThat(host.whoamiBySocks("127.0.0.1", 1080, Family.IPV4, "--proxy-user", "anna:a-secret.of_the_lab"))
                .contains(fixture.provider(Family.IPV4));
        assertThat(host.whoamiByHttpProxy("127.0.0.1", 8888, Family.IPV4, "--proxy-user", "anna:a-secret.of_the_lab"))
                .contains(fixture.provider(Family.IPV4));
        assertThat(host.whoamiBySocks("127.0.0.1", 1080, Family.IPV4)).isEmpty();
        assertThat(Probe.from(fixture.lab.lanHost())
                        .whoamiBySocks(Lab.NODE_IPV4, 1080, Family.IPV4, "--proxy-user", "anna:a-secret.of_the_lab"))
                .isEmpty();
    }

    @Test
    void sidecar() {
        Path directory = example("sidecar", "provider.conf", """
                services:
                  culvert: {image: IMAGE}
                """);
        fixture.engine.createImage(
                "docker.io/library/busybox:stable",
                Map.of(
                        "bin/busybox", "/bin/busybox",
                        "bin/httpd", "-> busybox",
                        "bin/sh", "-> busybox",
                        "bin/grep", "-> busybox",
                        "bin/sleep", "-> busybox",
                        "tmp", ""),
                "ENV PATH=/bin");
        start(directory, "culvert");
        String culvert = container(directory, "culvert");
        awaitReady(culvert);
        start(directory, "app");
        String app = container(directory, "app");

        assertThat(fixture.engine.inspect(app, ".State.Status")).isEqualTo("running");
        fixture.assertUsesProvider(inside(app), Family.values());
        // The program replies on its published port, which is bound to the loopback address.
        assertThat(fixture.lab
                        .node()
                        .namespace()
                        .attempt("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:8080/")
                        .out())
                .isEqualTo("404");
        fixture.engine.run("kill", "--signal", "KILL", culvert);
        assertThat(inside(app).whoami(Family.IPV4)).isEmpty();
    }

    @Test
    void several_exits() {
        Path directory =
                example("several-exits", "frankfurt.conf", """
                services:
                  frankfurt: &lab
                    image: IMAGE
                    environment: {TS_EXTRA_ARGS: "%s", TS_NO_LOGS_NO_SUPPORT: "true"}
                    volumes: ["%s"]
                  tokyo: *lab
                """.formatted(LOGIN, fixture.trustedCertificatesVolume()));
        fixture.engine.file("several-exits/tokyo.conf", fixture.lab.provider(1).file());
        start(directory);

        awaitExitNodeOffer(container(directory, "frankfurt"));
        awaitExitNodeOffer(container(directory, "tokyo"));
        assertPhoneUsesExitNode("exit-frankfurt", fixture.lab.provider(0).publicIpv4());
        assertPhoneUsesExitNode("exit-tokyo", fixture.lab.provider(1).publicIpv4());
    }
}
