// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.audit.AuditReport;
import io.culvert.diagnostics.Log;
import io.culvert.leaktest.LeakTestResult;
import io.culvert.net.Prefix;
import io.culvert.settings.HttpToken;
import io.culvert.status.ConfigurationState;
import io.culvert.status.ControlRequest;
import io.culvert.status.ControlResult;
import io.culvert.status.ForwardedPort;
import io.culvert.status.RuntimeFacts;
import io.culvert.status.StatusReport;
import io.culvert.timing.Threads;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceState;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The HTTP control server over real sockets, with a recorded exit node behind it. */
class ControlServerTest {

    private static final String TOKEN = "a-token-of-more-than-16";
    private static final PublicKey KEY = PublicKey.parse("TM7UyJLMf7nPvWC4fb5xoEQedgQ9RwyyEaWGk1Zrow4=");
    private static final String LOGIN_URL = "https://login.example.com/a/0123456789";

    private static final HttpLimits LIMITS = new HttpLimits(
            8,
            6,
            1,
            Duration.ofSeconds(2),
            Duration.ofSeconds(3),
            Duration.ofSeconds(2),
            Duration.ofMillis(200),
            1024,
            16,
            256);

    @TempDir
    private Path directory;

    private final List<ControlRequest> requests = new CopyOnWriteArrayList<>();
    private final AtomicInteger statusReads = new AtomicInteger();
    private final AtomicReference<Optional<HttpToken>> token =
            new AtomicReference<>(Optional.of(HttpToken.parse(TOKEN)));
    private final EventLog events = new EventLog(Clock.systemUTC());
    private final ControlServer server = new ControlServer(
            new ExitNodeAccess(
                    () -> {
                        statusReads.incrementAndGet();
                        return figures();
                    },
                    () -> new AuditReport(List.of("eth0"), List.of(), List.of(), List.of(), List.of(), List.of())
                            .toJson(),
                    (request, response) -> {
                        requests.add(request);
                        response.accept(ControlResult.done("done"));
                    },
                    () -> LeakTestResult.notRun(Instant.EPOCH, "no exit node").toJson(),
                    () -> Set.of("node", "node.tailnet.example"),
                    token::get),
            events,
            LIMITS,
            Threads.SYSTEM,
            Clock.systemUTC(),
            new Log(new PrintWriter(new StringWriter())));

    private InetSocketAddress address = new InetSocketAddress(0);

    @BeforeEach
    void listen() throws IOException {
        address = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), freePort());
        assertThat(server.listen(Set.of(address))).isTrue();
    }

    @AfterEach
    void close() {
        server.close();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static ExitNodeFigures figures() {
        return new ExitNodeFigures(
                report(),
                "wg0",
                Map.of(
                        "wg0",
                        new DeviceState(
                                Optional.of(KEY),
                                51820,
                                0,
                                List.of(new DeviceState.PeerState(
                                        KEY,
                                        false,
                                        Optional.of(
                                                new InetSocketAddress(InetAddress.ofLiteral("203.0.113.10"), 51820)),
                                        Optional.of(Instant.ofEpochSecond(1_558_580_872)),
                                        1000,
                                        2000,
                                        25,
                                        List.of(Prefix.parse("0.0.0.0/0"), Prefix.parse("::/0")))))),
                2,
                3,
                0,
                Optional.of(5),
                Optional.of(Duration.ofMillis(20)));
    }

    private static StatusReport report() {
        return new StatusReport(
                StatusReport.State.CONNECTED,
                "203.0.113.10:51820 (provider.conf)",
                "kernel",
                true,
                "",
                Optional.of(Instant.EPOCH),
                1,
                2,
                Map.of("routing rules", true),
                Map.of(),
                "tailscale0, waiting for login: " + LOGIN_URL,
                Optional.empty(),
                new RuntimeFacts(
                        "",
                        OptionalInt.empty(),
                        List.of(),
                        Map.of(),
                        List.of(),
                        List.of(),
                        OptionalInt.empty(),
                        new ForwardedPort(true, OptionalInt.of(51413), "NAT-PMP, 10.2.0.1")),
                ConfigurationState.NONE,
                List.of());
    }

    /** Sends a request as it is, and returns all of the response. */
    private String send(String... lines) throws IOException {
        try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(String.join("\r\n", lines).getBytes(StandardCharsets.UTF_8));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private String get(String path, String... headers) throws IOException {
        return request("GET", path, "", headers);
    }

    private String request(String method, String path, String body, String... headers) throws IOException {
        List<String> lines = new ArrayList<>(List.of(method + " " + path + " HTTP/1.1", "Connection: close"));
        lines.addAll(List.of(headers));
        if (lines.stream().noneMatch(line -> line.startsWith("Host:"))) {
            lines.add("Host: 127.0.0.1:" + address.getPort());
        }
        if (!body.isEmpty()) {
            lines.add("Content-Length: " + body.length());
        }
        lines.add("");
        lines.add(body);
        return send(lines.toArray(String[]::new));
    }

    private static int status(String response) {
        return Integer.parseInt(response.split(" ", 3)[1]);
    }

    private static String body(String response) {
        return response.split("\r\n\r\n", 2)[1];
    }

    private static JsonObject json(String text) {
        try (var reader = Json.createReader(new StringReader(text))) {
            return reader.readObject();
        }
    }

    @Test
    void the_status_is_that_of_the_command() throws IOException {
        String response = get("/v1/status");

        assertThat(status(response)).isEqualTo(200);
        assertThat(json(body(response)))
                .isEqualTo(json(report().toJson().toString().replace(LOGIN_URL, "(URL: see 'culvert status')")));
        assertThat(response)
                .contains(
                        "Content-Type: application/json", "Cache-Control: no-store", "X-Content-Type-Options: nosniff")
                .doesNotContain("Access-Control");
    }

    @Test
    void a_login_url_is_shown_only_with_the_token() throws IOException {
        assertThat(get("/v1/status")).doesNotContain(LOGIN_URL);
        assertThat(get("/v1/status", "Authorization: Bearer " + TOKEN)).contains(LOGIN_URL);
    }

    @Test
    void health_says_whether_it_runs_and_readiness_whether_traffic_gets_through() throws IOException {
        assertThat(get("/healthz")).startsWith("HTTP/1.1 200 ").endsWith("\r\n\r\nok\n");
        assertThat(get("/readyz")).startsWith("HTTP/1.1 200 ").endsWith("connected\n");
    }

    @Test
    void each_change_requires_the_token() throws IOException {
        for (ControlRequest.Kind kind : ControlRequest.Kind.values()) {
            assertThat(status(request("POST", "/v1/" + kind, ""))).isEqualTo(401);
            assertThat(status(request("POST", "/v1/" + kind, "", "Authorization: Bearer wrong-" + TOKEN)))
                    .isEqualTo(401);
            assertThat(status(request("POST", "/v1/" + kind, "", "Authorization: Basic " + TOKEN)))
                    .isEqualTo(401);
            assertThat(status(get("/v1/" + kind, "Authorization: Bearer " + TOKEN)))
                    .isEqualTo(405);
        }
        assertThat(status(request("POST", "/v1/leak-test", ""))).isEqualTo(401);
        assertThat(requests).isEmpty();

        String next = request("POST", "/v1/next", "", "Authorization: Bearer " + TOKEN);

        assertThat(status(next)).isEqualTo(200);
        assertThat(json(body(next)).getString("message")).isEqualTo("done");
        assertThat(status(request(
                        "POST",
                        "/v1/use",
                        "{\"server\": \"wg1.conf\"}",
                        "Authorization: Bearer " + TOKEN,
                        "Content-Type: application/json")))
                .isEqualTo(200);
        assertThat(requests)
                .containsExactly(
                        ControlRequest.of(ControlRequest.Kind.NEXT),
                        new ControlRequest(ControlRequest.Kind.USE, "wg1.conf"));
    }

    @Test
    void programs_written_for_gluetun_find_its_api() throws IOException {
        assertThat(json(body(get("/v1/vpn/status"))).getString("status")).isEqualTo("running");
        assertThat(json(body(get("/v1/openvpn/status"))).getString("status")).isEqualTo("stopped");
        assertThat(json(body(get("/v1/dns/status"))).getString("status")).isEqualTo("running");
        assertThat(body(get("/v1/vpn/settings"))).contains("wireguard");
        for (String path : List.of("/v1/portforward", "/v1/openvpn/portforwarded")) {
            assertThat(body(get(path))).isEqualTo("{\"port\":51413,\"ports\":[51413]}");
        }

        // As curl -X PUT -d sends it.
        String[] headers = {"Content-Type: application/x-www-form-urlencoded", "X-API-Key: " + TOKEN};
        assertThat(body(request("PUT", "/v1/vpn/status", "{\"status\":\"stopped\"}", headers)))
                .isEqualTo("{\"outcome\":\"stopped\"}");
        assertThat(body(request("PUT", "/v1/vpn/status", "{\"status\":\"running\"}", headers)))
                .isEqualTo("{\"outcome\":\"running\"}");
        assertThat(status(request("PUT", "/v1/vpn/status", "{\"status\":\"gone\"}", headers)))
                .isEqualTo(400);
        assertThat(status(request("PUT", "/v1/vpn/status", "{\"status\":\"stopped\"}", "X-API-Key: wrong")))
                .isEqualTo(401);
        assertThat(status(request("PUT", "/v1/vpn/status", "{\"status\":\"stopped\"}")))
                .isEqualTo(415);
        assertThat(requests)
                .containsExactly(
                        ControlRequest.of(ControlRequest.Kind.PAUSE), ControlRequest.of(ControlRequest.Kind.RESUME));
    }

    @Test
    void without_a_token_nothing_can_be_changed() throws IOException {
        token.set(Optional.empty());

        String next = request("POST", "/v1/next", "", "Authorization: Bearer " + TOKEN);

        assertThat(status(next)).isEqualTo(403);
        assertThat(json(body(next)).getString("hint")).contains("CULVERT_HTTP_TOKEN_FILE");
        assertThat(requests).isEmpty();
    }

    @Test
    void wrong_tokens_are_slowed_also_from_many_connections() throws IOException, InterruptedException {
        long start = System.nanoTime();
        List<Thread> guesses = new ArrayList<>();
        List<Integer> codes = new CopyOnWriteArrayList<>();
        for (int number = 0; number < 4; number++) {
            String guess = "Authorization: Bearer guess-" + number;
            guesses.add(Thread.ofPlatform().start(() -> {
                try {
                    codes.add(status(request("POST", "/v1/next", "", guess)));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }));
        }
        for (Thread guess : guesses) {
            guess.join();
        }

        assertThat(codes).hasSize(4).containsOnly(401, 429);
        long checked = codes.stream().filter(code -> code == 401).count();
        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isGreaterThanOrEqualTo(LIMITS.wrongTokenDelay().multipliedBy(checked));
    }

    @Test
    void a_host_of_another_is_refused() throws IOException {
        for (String host : List.of(
                "attacker.example", "attacker.example:80", "127.0.0.1.attacker.example", "203.0.113.1", "", "[::1]")) {
            assertThat(status(get("/v1/status", "Host: " + host))).as(host).isEqualTo(421);
        }
        for (String host :
                List.of("localhost", "LOCALHOST:9", "127.0.0.1", "127.0.0.1:8000", "node.tailnet.example:8000")) {
            assertThat(status(get("/v1/status", "Host: " + host))).as(host).isEqualTo(200);
        }
    }

    @Test
    void requests_of_pages_of_other_origins_are_refused() throws IOException {
        assertThat(status(get("/v1/status", "Origin: http://attacker.example"))).isEqualTo(403);
        assertThat(status(get("/v1/status", "Origin: null"))).isEqualTo(403);
        assertThat(status(get("/v1/status", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors")))
                .isEqualTo(403);
        assertThat(status(request(
                        "POST", "/v1/next", "", "Origin: http://attacker.example", "Authorization: Bearer " + TOKEN)))
                .isEqualTo(403);
        assertThat(status(request(
                        "POST",
                        "/v1/use",
                        "{\"server\":\"a\"}",
                        "Content-Type: text/plain",
                        "Authorization: Bearer " + TOKEN)))
                .isEqualTo(415);
        assertThat(status(request("OPTIONS", "/v1/next", "", "Origin: http://127.0.0.1:" + address.getPort())))
                .isEqualTo(405);
        assertThat(requests).isEmpty();
        assertThat(status(get("/v1/status", "Origin: http://127.0.0.1:" + address.getPort())))
                .isEqualTo(200);
    }

    @Test
    void malformed_and_large_requests_are_refused() throws IOException {
        assertThat(status(send("nonsense", "", ""))).isEqualTo(400);
        assertThat(status(get("/" + "x".repeat(2000)))).isEqualTo(431);
        assertThat(status(get("/", "X: " + "x".repeat(2000)))).isEqualTo(431);
        String[] many = new String[40];
        Arrays.setAll(many, number -> "X-" + number + ": 1");
        assertThat(status(get("/", many))).isEqualTo(431);
        assertThat(status(request("POST", "/v1/use", "x".repeat(300)))).isEqualTo(413);
        assertThat(status(get("/healthz", "Transfer-Encoding: chunked"))).isEqualTo(411);
        assertThat(status(get("/healthz", "Content-Length: 1", "Content-Length: 2")))
                .isEqualTo(400);
        assertThat(status(get("/healthz", "Content-Length: -1"))).isEqualTo(400);
        assertThat(status(get("/healthz", "Host: localhost", "Host: attacker.example")))
                .isEqualTo(400);
        assertThat(status(get("/nothing"))).isEqualTo(404);
        assertThat(status(get("http://attacker.example/healthz"))).isEqualTo(400);
        assertThat(status(get("/healthz"))).isEqualTo(200);
    }

    @Test
    void several_requests_use_one_connection() throws IOException {
        String one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

        String responses = send(one + one + one.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));

        assertThat(responses.split("HTTP/1.1 200 OK", -1)).hasSize(4);
    }

    @Test
    void the_connection_that_is_idle_for_the_longest_time_makes_room() throws IOException {
        List<Socket> idle = new ArrayList<>();
        for (int number = 0; number < 20; number++) {
            idle.add(new Socket(address.getAddress(), address.getPort()));
            // An incomplete request.
            idle.getLast().getOutputStream().write('G');
        }

        assertThat(status(get("/healthz"))).isEqualTo(200);
        assertThat(idle.getFirst().getInputStream().read()).isNegative();

        for (Socket socket : idle) {
            socket.close();
        }
    }

    @Test
    void a_request_that_never_ends_is_disconnected() throws IOException {
        try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write("GET /healthz HTTP/1.1\r\nHost: loc".getBytes(StandardCharsets.UTF_8));
            assertThat(socket.getInputStream().read()).isNegative();
        }
    }

    @Test
    void many_requests_read_the_status_seldom() throws IOException {
        for (int number = 0; number < 100; number++) {
            assertThat(status(get("/v1/status"))).isEqualTo(200);
        }
        assertThat(statusReads.get()).isLessThan(100);
    }

    @Test
    void log_lines_and_the_status_are_sent_as_events() throws IOException {
        events.add(Log.Level.INFO, "tunnel: connected");
        events.add(Log.Level.DEBUG, "not shown");
        try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream()
                    .write("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.UTF_8));
            String stream = readUntil(socket, "event: status");
            assertThat(stream)
                    .contains("Content-Type: text/event-stream", "event: log\ndata: {\"time\":", "tunnel: connected")
                    .doesNotContain("not shown");
            assertThat(status(get("/v1/events"))).as("a second client").isEqualTo(503);

            events.add(Log.Level.WARN, "tunnel: lost, see " + LOGIN_URL);

            assertThat(readUntil(socket, "tunnel: lost")).doesNotContain(LOGIN_URL);
        }
    }

    private static String readUntil(Socket socket, String text) throws IOException {
        StringBuilder read = new StringBuilder();
        while (read.indexOf(text) < 0 || read.charAt(read.length() - 1) != '\n') {
            int next = socket.getInputStream().read();
            assertThat(next).as(read.toString()).isNotNegative();
            read.append((char) next);
        }
        return read.toString();
    }

    @Test
    void the_metrics_of_wireguard_have_the_names_and_labels_of_wireguard_exporter() throws IOException {
        String metrics = body(get("/metrics"));

        String key = "public_key=\"" + KEY + "\"";
        assertThat(metrics)
                .contains(
                        "wireguard_device_info{device=\"wg0\"," + key + "} 1",
                        "wireguard_peer_info{allowed_ips=\"0.0.0.0/0,::/0\",device=\"wg0\",endpoint=\"203.0.113.10:51820\","
                                + key + "} 1",
                        "wireguard_peer_last_handshake_seconds{" + key + "} 1.558580872E9",
                        "wireguard_peer_receive_bytes_total{" + key + "} 1000.0",
                        "wireguard_peer_transmit_bytes_total{" + key + "} 2000.0",
                        "culvert_state{culvert_state=\"connected\"} 1",
                        "culvert_state{culvert_state=\"blocked\"} 0",
                        "culvert_forwarded_port 51413.0",
                        "culvert_server_changes_total 2.0",
                        "culvert_kill_switch_restorations_total 3.0",
                        "culvert_tunnel_round_trip_seconds 0.02");
        assertThat(get("/metrics")).contains("Content-Type: text/plain; version=0.0.4");
        String open = get("/metrics", "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
        assertThat(open)
                .contains("Content-Type: application/openmetrics-text; version=1.0.0")
                .endsWith("# EOF\n");
    }

    @Test
    void the_metrics_of_the_documentation_are_those_that_are_served() throws IOException {
        String metrics = body(get("/metrics"));

        String documented = Files.readString(Path.of("docs/control-server.md"));
        Set<String> names = Pattern.compile("`((?:culvert|wireguard)_[a-z_]+)`")
                .matcher(documented)
                .results()
                .map(match -> match.group(1))
                .filter(name -> !name.equals("wireguard_exporter"))
                .collect(Collectors.toSet());
        // No leak test has run here.
        assertThat(names)
                .hasSizeGreaterThan(10)
                .allMatch(name -> metrics.contains(name) || name.startsWith("culvert_leak_test_"));
        assertThat(metrics.lines().filter(line -> line.startsWith("# TYPE ")).map(line -> line.split(" ", -1)[2]))
                .isSubsetOf(names);
    }

    @Test
    void the_page_is_complete_without_scripts_and_loads_nothing() throws IOException {
        events.add(Log.Level.WARN, "<script>alert(1)</script> {{nonce}}");

        String response = get("/");

        assertThat(body(response))
                .contains("<strong>connected</strong>", "203.0.113.10:51820 (provider.conf)", "routing rules: active")
                .contains("&lt;script&gt;alert(1)")
                .doesNotContain("<script>alert", "{{", LOGIN_URL, "http://", "https://");
        assertThat(response)
                .containsPattern("Content-Security-Policy: default-src 'none'; script-src 'nonce-[0-9a-f]{32}'")
                .doesNotContain("unsafe-inline");
    }

    @Test
    void a_unix_socket_serves_its_owner_only() throws IOException {
        Path path = directory.resolve("http.sock");
        assertThat(server.listen(Set.of(address, UnixDomainSocketAddress.of(path))))
                .isTrue();

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            channel.write(
                    StandardCharsets.UTF_8.encode("GET /healthz HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n"));
            ByteBuffer response = ByteBuffer.allocate(4096);
            while (channel.read(response) >= 0) {}
            assertThat(new String(response.array(), 0, response.position(), StandardCharsets.UTF_8))
                    .startsWith("HTTP/1.1 200 ");
        }

        assertThat(server.listen(Set.of(address))).isTrue();
        assertThat(path).doesNotExist();
    }

    @Test
    void an_address_in_use_is_retried() throws IOException {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            InetSocketAddress taken = new InetSocketAddress(other.getInetAddress(), other.getLocalPort());
            assertThat(server.listen(Set.of(address, taken))).isFalse();
            other.close();
            assertThat(server.listen(Set.of(address, taken))).isTrue();
        }
    }

    @Test
    void the_document_has_all_routes_and_no_others() {
        ControlApi api = new ControlApi(
                new ExitNodeAccess(
                        ControlServerTest::figures,
                        () -> JsonObject.EMPTY_JSON_OBJECT,
                        (_, _) -> {},
                        () -> JsonObject.EMPTY_JSON_OBJECT,
                        Set::of,
                        Optional::empty),
                events,
                LIMITS,
                Threads.SYSTEM,
                Clock.systemUTC());
        JsonObject document = json(ControlApi.resource("openapi.json"));

        assertThat(document.getString("openapi")).startsWith("3.1.");
        Map<String, List<String>> documented = document.getJsonObject("paths").entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey,
                        path -> path.getValue().asJsonObject().keySet().stream()
                                .map(method -> method.toUpperCase(Locale.ROOT))
                                .toList()));
        assertThat(documented).isEqualTo(api.routes());
        assertThat(document.getJsonObject("components")
                        .getJsonObject("schemas")
                        .getJsonObject("Status")
                        .getJsonObject("properties")
                        .keySet())
                .containsAll(List.of("state", "server", "killSwitch"));
    }
}
