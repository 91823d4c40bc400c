package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.image.CulvertContainer;
import io.culvert.ip.Family;
import io.culvert.lab.Certificate;
import io.culvert.lab.GoProgram;
import io.culvert.lab.Headscale;
import io.culvert.lab.Lab;
import io.culvert.lab.Outcome;
import io.culvert.lab.Probe;
import io.culvert.lab.Pulse;
import io.culvert.lab.Shape;
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
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Every compose example as it is shipped, run with podman-compose. A second file says what only the lab knows: addresses and
 * names of its servers, the image that was built, keys, and whom to trust.
 */
@Tag("deploy")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ComposeExamplesTest {

    private static final Path EXAMPLES = Path.of("compose-examples");
    private static final String LOGIN = "--login-server=" + Headscale.URL;

    private final ContainerWorld world = ContainerWorld.of(Shape.USUAL.providers(2));
    private final Probe phone = Probe.from(world.lab.client().space());
    private final List<Path> up = new ArrayList<>();

    @BeforeAll
    void observerIsNotBlind() {
        world.observerIsNotBlind(Probe.from(world.sibling("unguarded")));
        // The machine's own word that nobody listens there.
        world.observer.allowService(1080);
        // As on a machine whose owner lets its users serve on the ports of the web.
        world.lab.node().space().run("sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start");
    }

    @BeforeEach
    void forget() {
        world.observer.forget();
    }

    @AfterEach
    void takeDown() {
        Map<String, Integer> leaks = world.observer.leaks();
        world.lab.client().leaveExitNode();
        up.forEach(directory ->
                compose(directory, "down", "--timeout", "5", "--volumes").orFail());
        up.clear();
        assertThat(leaks).isEmpty();
    }

    @AfterAll
    void closeWorld() {
        world.close();
    }

    /** The example's files, the provider's file under this name, and what the lab adds to its services. */
    private Path example(String name, String providerFile, String addition) {
        Path directory = world.engine.copy(EXAMPLES.resolve(name));
        world.engine.file(name + "/" + providerFile, world.lab.provider().file());
        world.engine.file(name + "/lab.yaml", addition.replace("IMAGE", CulvertContainer.IMAGE));
        return directory;
    }

    private Outcome compose(Path directory, String... arguments) {
        List<String> all = new ArrayList<>(List.of("--file", "compose.yaml", "--file", "lab.yaml"));
        all.addAll(List.of(arguments));
        return world.engine.compose(
                directory, Map.of("TS_AUTHKEY", world.lab.headscale().key()), all.toArray(String[]::new));
    }

    /** Starts these services, or all; the project is known by the directory. */
    private void start(Path directory, String... services) {
        if (!up.contains(directory)) {
            up.add(directory);
        }
        List<String> command = new ArrayList<>(List.of("up", "--detach"));
        command.addAll(List.of(services));
        compose(directory, command.toArray(String[]::new)).orFail();
    }

    private static String container(Path directory, String service) {
        return directory.getFileName() + "_" + service + "_1";
    }

    private Probe inside(String container) {
        return Probe.from(world.engine.network(container));
    }

    private void awaitReady(String container) {
        world.engine.awaitLine(container, "^ready", ContainerWorld.SOON);
        assertThat(world.engine.isHealthy(container)).as(container).isTrue();
    }

    private void awaitOffer(String container) {
        awaitReady(container);
        world.engine.awaitLine(container, "mesh: .*offers exit node$", ContainerWorld.SOON);
    }

    private void phoneExitsBy(String node, String provider4) {
        world.lab.phone().useExitNode(node);
        assertThat(phone.whoami(Family.IPV4)).contains(provider4);
        world.lab.phone().leaveExitNode();
    }

    @Test
    void tswg_drop_in() {
        Path directory =
                example("tswg-drop-in", "example.wg0.conf", """
                services:
                  tswg:
                    image: IMAGE
                    # What Podman calls pasta since 4.4 has a forerunner of the same kind.
                    network_mode: slirp4netns
                    environment:
                      - TS_EXTRA_ARGS=%s --advertise-exit-node
                      - HOLEPUNCH_ENDPOINTS=%s
                      - TS_AUTHKEY=${TS_AUTHKEY}
                      - TS_NO_LOGS_NO_SUPPORT=true
                    volumes:
                      - %s
                """.formatted(LOGIN, Headscale.ADDRESS_4, world.trust()));
        world.engine.directory("tswg-drop-in/tailscale");
        start(directory);

        awaitOffer("tswg");
        world.goesByTheProvider(inside("tswg"), Family.IPV4);
        phoneExitsBy("test-exit-node", world.provider(Family.IPV4));
    }

    @Test
    void tailscale() {
        Path directory = example("tailscale", "provider.conf", """
                services:
                  culvert:
                    image: IMAGE
                    environment: {TS_EXTRA_ARGS: "%s", TS_NO_LOGS_NO_SUPPORT: "true"}
                    volumes: ["%s"]
                """.formatted(LOGIN, world.trust()));
        start(directory);
        String culvert = container(directory, "culvert");

        awaitOffer(culvert);
        world.goesByTheProvider(inside(culvert), Family.values());
        phoneExitsBy("vpn-exit", world.provider(Family.IPV4));
    }

    @Test
    void headscale_with_an_exit_node_and_a_client() throws IOException {
        Certificate certificate = Certificate.of("headscale.example.com");
        String trusted = world.engine.file("trusted-too.pem", certificate.certificate())
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
        world.engine.file("headscale/certificate.pem", certificate.certificate());
        world.engine.file("headscale/key.pem", certificate.key());
        // Nobody here gives certificates away.
        String settings = Files.readString(EXAMPLES.resolve("headscale/headscale.yaml"));
        world.engine.file(
                "headscale/headscale.yaml",
                settings.replaceAll("(?m)^tls_.*\n", "") + "tls_cert_path: /certificate.pem\ntls_key_path: /key.pem\n");
        world.engine.file("headscale/authkey", "");
        images();
        world.observer.allow(
                "Headscale's search for a newer one",
                packet -> packet.destinationPort() == 53 && packet.payload().contains("\6github\3com"));
        world.observer.allow(
                "what Tailscale's programs ask Tailscale's servers while Headscale refuses connections",
                packet -> packet.destinationPort() == 443 && !packet.isTo(Lab.SERVER_4));

        start(directory, "headscale");
        String headscale = container(directory, "headscale");
        world.engine.awaitLine(headscale, "listening and serving HTTP on", ContainerWorld.SOON);
        world.engine.run("exec", headscale, "headscale", "users", "create", "everybody");
        world.engine.file(
                "headscale/authkey",
                world.engine.run("exec", headscale, "headscale", "preauthkeys", "create", "--user", "1", "--reusable"));
        start(directory, "culvert");
        String culvert = container(directory, "culvert");
        awaitOffer(culvert);
        assertThat(world.observer.leaks()).isEmpty();
        start(directory, "client");
        String client = container(directory, "client");
        world.engine.awaitLine(client, "Startup complete", ContainerWorld.SOON);

        try (Pulse pulse = Pulse.of(world.engine.network(client), Family.IPV4)) {
            pulse.awaitAnswer(world.provider(Family.IPV4), ContainerWorld.SOON);
            assertThat(pulse.seen()).containsExactly(world.provider(Family.IPV4));
        }
        // The client is an ordinary Tailscale, which asks for more than its control server; but it reached the world by
        // the exit.
        assertThat(world.observer.leaks().keySet()).noneMatch(packet -> packet.contains(Lab.SERVER_4));
        world.observer.forget();
    }

    /** Headscale's and Tailscale's own images, made of the programs that the lab has. */
    private void images() {
        world.engine.image(
                "docker.io/headscale/headscale:0.29",
                Map.of(
                        "ko-app/headscale", GoProgram.path("headscale"),
                        "var/run/headscale", "",
                        "var/lib/headscale", "",
                        "tmp", ""),
                "ENTRYPOINT [\"/ko-app/headscale\"]",
                "ENV PATH=/ko-app");
        world.engine.image(
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
        world.engine.file("wireguard-clients/clients.conf", world.lab.client().nodeFile());
        start(directory);
        String culvert = container(directory, "culvert");
        awaitReady(culvert);
        world.lab.client().useExitNode();

        world.goesByTheProvider(phone, Family.values());
        world.goesByTheProvider(inside(culvert), Family.values());
    }

    @Test
    void socks_only() {
        Path directory = example("socks-only", "provider.conf", """
                services:
                  culvert: {image: IMAGE}
                """);
        world.engine.file("socks-only/socks-password", "a secret of the lab\n");
        start(directory);
        awaitReady(container(directory, "culvert"));
        Probe host = Probe.from(world.lab.node().space());

        assertThat(host.whoamiBySocks("127.0.0.1", 1080, Family.IPV4, "--proxy-user", "anna:a secret of the lab"))
                .contains(world.provider(Family.IPV4));
        assertThat(host.whoamiBySocks("127.0.0.1", 1080, Family.IPV4)).isEmpty();
        assertThat(Probe.from(world.lab.neighbour())
                        .whoamiBySocks(Lab.NODE_4, 1080, Family.IPV4, "--proxy-user", "anna:a secret of the lab"))
                .isEmpty();
    }

    @Test
    void sidecar() {
        Path directory = example("sidecar", "provider.conf", """
                services:
                  culvert: {image: IMAGE}
                """);
        world.engine.image(
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

        assertThat(world.engine.inspect(app, ".State.Status")).isEqualTo("running");
        world.goesByTheProvider(inside(app), Family.values());
        // The program answers on its published port, which is this machine's only.
        assertThat(world.lab
                        .node()
                        .space()
                        .attempt("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:8080/")
                        .out())
                .isEqualTo("404");
        world.engine.run("kill", "--signal", "KILL", culvert);
        assertThat(inside(app).whoami(Family.IPV4)).isEmpty();
    }

    @Test
    void several_exits() {
        Path directory = example("several-exits", "frankfurt.conf", """
                services:
                  frankfurt: &lab
                    image: IMAGE
                    environment: {TS_EXTRA_ARGS: "%s", TS_NO_LOGS_NO_SUPPORT: "true"}
                    volumes: ["%s"]
                  tokyo: *lab
                """.formatted(LOGIN, world.trust()));
        world.engine.file("several-exits/tokyo.conf", world.lab.provider(1).file());
        start(directory);

        awaitOffer(container(directory, "frankfurt"));
        awaitOffer(container(directory, "tokyo"));
        phoneExitsBy("exit-frankfurt", world.lab.provider(0).outer4());
        phoneExitsBy("exit-tokyo", world.lab.provider(1).outer4());
    }
}
