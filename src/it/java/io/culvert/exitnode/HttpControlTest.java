// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.WireGuardClient;
import io.culvert.net.Family;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusReport.State;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The HTTP control server of a running exit node. */
@NamespaceTest
class HttpControlTest {

    private static final String TOKEN = "0123456789abcdef0123";
    private static final String SOCKS_PASSWORD = "correct-horse-battery";
    private static final String LOOPBACK = "127.0.0.1";

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.providers(2));

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private static String exchange(LabNamespace from, String address, int port, String... lines) throws Exception {
        return from.call(() -> {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.ofLiteral(address), port), 3000);
                socket.setSoTimeout(60_000);
                socket.getOutputStream().write(String.join("\r\n", lines).getBytes(StandardCharsets.UTF_8));
                return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            }
        });
    }

    private static String get(LabNamespace from, String address, String path) throws Exception {
        return exchange(
                from, address, 8000, "GET " + path + " HTTP/1.1", "Host: " + address, "Connection: close", "", "");
    }

    private String get(String path) throws Exception {
        return get(fixture.namespace(), LOOPBACK, path);
    }

    private String post(String path, String body) throws Exception {
        return exchange(
                fixture.namespace(),
                LOOPBACK,
                8000,
                "POST " + path + " HTTP/1.1",
                "Host: localhost",
                "Authorization: Bearer " + TOKEN,
                "Content-Type: application/json",
                "Content-Length: " + body.length(),
                "Connection: close",
                "",
                body);
    }

    private static JsonObject json(String response) {
        assertThat(response).contains("Content-Type: application/json");
        try (var reader = Json.createReader(new StringReader(response.split("\r\n\r\n", 2)[1]))) {
            return reader.readObject();
        }
    }

    private Map<String, String> http(Map<String, String> settings) throws IOException {
        Path token = fixture.lab.node().run().resolveSibling("http-token");
        Files.writeString(token, TOKEN + "\n");
        Map<String, String> all = new HashMap<>(settings);
        all.putIfAbsent("CULVERT_HTTP", LOOPBACK + ":8000");
        all.put("CULVERT_HTTP_TOKEN_FILE", token.toString());
        return all;
    }

    private static boolean isReachable(LabNamespace from, String address, int port) {
        try {
            return exchange(from, address, port, "GET / HTTP/1.0", "", "").length() > 0;
        } catch (Exception _) {
            return false;
        }
    }

    @Test
    void it_shows_what_the_commands_show_and_does_what_they_do() throws Exception {
        fixture.lab.node().wireGuardFile("second.conf", fixture.lab.provider(1).file());
        Map<String, String> settings = http(ExitNodeFixture.withoutMesh(Map.of()));
        fixture.connect(settings);

        assertThat(get("/healthz")).startsWith("HTTP/1.1 200 ").endsWith("ok\n");
        assertThat(get("/readyz")).startsWith("HTTP/1.1 200 ");
        JsonObject status = json(get("/v1/status"));
        assertThat(status.keySet()).isEqualTo(fixture.status().toJson().keySet());
        assertThat(StatusReport.fromJson(status).state()).isEqualTo(State.CONNECTED);
        JsonObject audit = json(get("/v1/audit"));
        assertThat(audit.getBoolean("clean")).as(audit.toString()).isTrue();

        JsonObject use = json(post("/v1/use", "{\"server\": \"second\"}"));
        assertThat(use.getString("message")).contains("connected to the server of second.conf");
        assertThat(json(get("/v1/status")).getString("server")).contains("second.conf");
        assertThat(post("/v1/use", "{\"server\": \"third\"}"))
                .startsWith("HTTP/1.1 400 ")
                .contains("provider.conf, second.conf");
        assertThat(json(post("/v1/next", "{}")).getString("message")).contains("provider.conf");
        assertThat(json(post("/v1/leak-test", "{}")).toString()).contains("passed");
        assertThat(json(post("/v1/reload", "{}")).getString("message")).isEqualTo("unchanged");
        assertThat(json(post("/v1/pause", "{}")).getString("message")).isEqualTo("paused");
        assertThat(get("/readyz")).startsWith("HTTP/1.1 503 ").endsWith("paused\n");
        assertThat(json(post("/v1/resume", "{}")).getInt("exitStatus")).isZero();
        assertThat(get("/readyz")).startsWith("HTTP/1.1 200 ");
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    /** The documentation's examples, as they are. */
    @Test
    void the_examples_work() throws Exception {
        fixture.connect(http(ExitNodeFixture.withoutMesh(Map.of())));

        List<String> examples = Files.readAllLines(Path.of("docs/control-server.md")).stream()
                .filter(line -> line.startsWith("curl "))
                .toList();

        assertThat(examples).hasSizeGreaterThan(8);
        for (String example : examples) {
            CommandResult result =
                    fixture.namespace().attempt("env", "TOKEN=" + TOKEN, "sh", "-c", example + " --fail-with-body");
            assertThat(result.status())
                    .as(example + ": " + result.out() + result.err())
                    .isEqualTo(example.endsWith("/v1/next") ? 22 : 0);
        }
    }

    @Test
    void it_is_reachable_from_the_mesh_where_it_listens_there_and_from_no_uplink() throws Exception {
        fixture.addPrivateNetwork();
        Map<String, String> settings =
                http(fixture.settings(Map.of("CULVERT_HTTP", LOOPBACK + ":8000 mesh:8000", "CULVERT_PUBLISH", "8001")));
        RunningProgram culvert = fixture.connect(settings);
        culvert.awaitLine("http: listening on " + WireGuardClient.MESH_NODE_IPV4 + ":8000", ExitNodeFixture.TIMEOUT);

        fixture.lab.client().useExitNode();
        assertThat(get(fixture.lab.client().namespace(), WireGuardClient.MESH_NODE_IPV4, "/healthz"))
                .startsWith("HTTP/1.1 200 ");
        assertThat(get("/healthz")).startsWith("HTTP/1.1 200 ");
        LabNamespace outside = fixture.lab.lanHost();
        assertThat(isReachable(outside, ExitNodeFixture.PRIVATE_NODE_4, 8001))
                .as("another service on this uplink")
                .isTrue();
        for (String address :
                List.of(ExitNodeFixture.PRIVATE_NODE_4, ExitNodeFixture.PRIVATE_NODE_6, Lab.NODE_IPV4, Lab.NODE_IPV6)) {
            assertThat(isReachable(outside, address, 8000)).as(address).isFalse();
        }
        outside.ip(
                "route add " + WireGuardClient.MESH_NODE_IPV4 + " via " + ExitNodeFixture.PRIVATE_NODE_4 + " dev eth0");
        assertThat(isReachable(outside, WireGuardClient.MESH_NODE_IPV4, 8000)).isFalse();

        CommandResult audit = fixture.run(settings, "audit");
        assertThat(audit.status()).as(audit.out() + audit.err()).isZero();
        assertThat(audit.out()).contains("the HTTP control server at TCP port 8000 (CULVERT_HTTP)");
    }

    @Test
    void loopback_stays_closed_to_the_uplink_with_the_sysctl_that_opens_it() throws Exception {
        fixture.addPrivateNetwork();
        LabNamespace outside = fixture.lab.lanHost();
        // The attacker sends packets to 127.0.0.2 to the node, which accepts them there.
        fixture.namespace().sysctl("net.ipv4.conf.all.route_localnet=1");
        outside.sysctl("net.ipv4.conf.all.route_localnet=1");
        outside.ip(
                "route del local 127.0.0.0/8 dev lo table local",
                "route add 127.0.0.0/8 via " + ExitNodeFixture.PRIVATE_NODE_4 + " dev eth0 src "
                        + ExitNodeFixture.PRIVATE_LAN_HOST_4);
        Map<String, String> settings = http(ExitNodeFixture.withoutMesh(Map.of("CULVERT_HTTP", "127.0.0.2:8000")));
        fixture.connect(settings);

        assertThat(isReachable(fixture.namespace(), "127.0.0.2", 8000)).isTrue();
        assertThat(isReachable(outside, "127.0.0.2", 8001))
                .as("another service on loopback")
                .isTrue();
        assertThat(isReachable(outside, "127.0.0.2", 8000)).isFalse();

        CommandResult audit = fixture.run(settings, "audit");
        assertThat(audit.status()).as(audit.out() + audit.err()).isZero();
    }

    @Test
    void no_answer_contains_a_secret() throws Exception {
        Map<String, String> settings = http(fixture.settings(Map.of(
                "CULVERT_SOCKS", "true",
                "CULVERT_SOCKS_USER", "anna",
                "CULVERT_SOCKS_PASSWORD", SOCKS_PASSWORD)));
        fixture.connect(settings);
        List<String> secrets = new ArrayList<>(List.of(TOKEN, SOCKS_PASSWORD));
        for (String file :
                List.of(fixture.lab.provider().file(), fixture.lab.client().nodeConfig())) {
            file.lines()
                    .filter(line -> line.startsWith("PrivateKey") || line.startsWith("PresharedKey"))
                    .map(line -> line.split("=", 2)[1].strip())
                    .forEach(secrets::add);
        }
        assertThat(secrets).hasSizeGreaterThan(3);

        JsonObject paths = json(get("/openapi.json")).getJsonObject("paths");
        for (String path : paths.keySet()) {
            String response = path.equals("/v1/events")
                    ? firstEvents()
                    : paths.getJsonObject(path).containsKey("get")
                            ? get(path)
                            : post(path, "{\"server\": \"provider.conf\"}");
            assertThat(response).as(path).startsWith("HTTP/1.1 ").doesNotContain(secrets.toArray(String[]::new));
        }
    }

    private String firstEvents() throws Exception {
        return fixture.namespace().call(() -> {
            try (Socket socket = new Socket(InetAddress.ofLiteral(LOOPBACK), 8000)) {
                socket.setSoTimeout(60_000);
                socket.getOutputStream()
                        .write("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.UTF_8));
                StringBuilder read = new StringBuilder();
                while (read.indexOf("event: status") < 0 || !read.toString().endsWith("\n\n")) {
                    int next = socket.getInputStream().read();
                    assertThat(next).as(read.toString()).isNotNegative();
                    read.append((char) next);
                }
                return read.toString();
            }
        });
    }

    @Test
    void hostile_clients_disturb_neither_traffic_nor_others() throws Exception {
        fixture.connect(http(ExitNodeFixture.withoutMesh(Map.of())));
        List<Socket> hostile = fixture.namespace().call(() -> {
            List<Socket> sockets = new ArrayList<>();
            for (int number = 0; number < 200; number++) {
                Socket socket = new Socket(InetAddress.ofLiteral(LOOPBACK), 8000);
                try {
                    socket.getOutputStream()
                            .write("GET /v1/status HTTP/1.1\r\nHost: ".getBytes(StandardCharsets.UTF_8));
                } catch (IOException _) {
                    // It has made room for another one already.
                }
                sockets.add(socket);
            }
            return sockets;
        });
        String keptAlive = fixture.namespace().call(() -> {
            try (Socket socket = new Socket(InetAddress.ofLiteral(LOOPBACK), 8000)) {
                byte[] request = "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.UTF_8);
                Thread writer = Thread.ofPlatform().start(() -> {
                    try {
                        for (int number = 0; number < 10_000; number++) {
                            socket.getOutputStream().write(request);
                        }
                        socket.getOutputStream()
                                .write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                                        .getBytes(StandardCharsets.UTF_8));
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
                String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                writer.join();
                return all;
            }
        });

        assertThat(Stream.of(keptAlive.split("HTTP/1.1 200 OK", -1)).count()).isEqualTo(10_002);
        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(fixture.status().state()).isEqualTo(State.CONNECTED);
        for (Socket socket : hostile) {
            socket.close();
        }
    }
}
