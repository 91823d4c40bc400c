package io.culvert.mesh.tailscale;

import jakarta.json.Json;
import jakarta.json.JsonArray;
import jakarta.json.JsonException;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import jakarta.json.JsonValue;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Asks tailscaled over its socket (tailscale: ipn/localapi). A request is one connection: HTTP 1.0, so that the answer is
 * neither cut in chunks nor compressed and ends with the connection.
 *
 * @param socket such as {@code /tmp/tailscaled.sock}
 * @param patience for one answer; what takes longer fails
 */
record LocalApi(Path socket, Duration patience) {

    private static final int HTTPS = 443;
    private static final String PREFIX = "/localapi/v0/";

    /**
     * What the bus tells first: {@code NotifyInitialState} and {@code NotifyInitialHealthState}; and
     * {@code NotifyRateLimit}, for a large network changes all the time (tailscale: ipn/backend.go).
     */
    private static final int BUS_MASK = 1 << 1 | 1 << 7 | 1 << 8;

    /** @param peers whether the other nodes are told too */
    NodeStatus status(boolean peers) throws IOException {
        return NodeStatus.of(json("GET", "status" + (peers ? "" : "?peers=false"), Optional.empty()));
    }

    JsonObject preferences() throws IOException {
        return json("GET", "prefs", Optional.empty());
    }

    /** @param masked preferences, each together with its {@code …Set} */
    void edit(JsonObject masked) throws IOException {
        json("PATCH", "prefs", Optional.of(masked));
    }

    /** The TCP ports of the relays that the control server names (tailscale: tailcfg, DERPMap); 443 where it names none. */
    Set<Integer> relayPorts() throws IOException {
        Set<Integer> ports = new TreeSet<>();
        JsonObject map = json("GET", "derpmap", Optional.empty());
        if (map.getOrDefault("Regions", JsonValue.NULL) instanceof JsonObject regions) {
            for (JsonValue region : regions.values()) {
                if (region instanceof JsonObject one
                        && one.getOrDefault("Nodes", JsonValue.NULL) instanceof JsonArray nodes) {
                    nodes.stream()
                            .filter(JsonObject.class::isInstance)
                            .map(JsonValue::asJsonObject)
                            .mapToInt(node -> node.getInt("DERPPort", 0))
                            .map(port -> port == 0 ? HTTPS : port)
                            .filter(port -> port > 0 && port <= 65535)
                            .forEach(ports::add);
                }
            }
        }
        return ports;
    }

    /** What keeps tailscaled's kernel from forwarding; empty when nothing does. */
    Optional<String> forwardingWarning() throws IOException {
        return Optional.of(json("GET", "check-ip-forwarding", Optional.empty()).getString("Warning", ""))
                .filter(warning -> !warning.isEmpty());
    }

    /** Sends a packet of Tailscale's own to a peer and waits for its answer; a handshake goes before it where needed. */
    void ping(InetAddress peer) throws IOException {
        json("POST", "ping?type=TSMP&ip=" + peer.getHostAddress(), Optional.empty());
    }

    /** Listens to what happens; the connection is the caller's to close. */
    BusReader watch() throws IOException {
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        try {
            return new BusReader(channel, body(channel, "GET", "watch-ipn-bus?mask=" + BUS_MASK, Optional.empty()));
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private JsonObject json(String method, String path, Optional<JsonObject> content) throws IOException {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            CompletableFuture<Void> deadline = CompletableFuture.runAsync(
                    () -> close(channel),
                    CompletableFuture.delayedExecutor(patience.toMillis(), TimeUnit.MILLISECONDS));
            try {
                return parse(body(channel, method, path, content).lines().collect(Collectors.joining("\n")));
            } finally {
                deadline.cancel(false);
            }
        }
    }

    static JsonObject parse(String text) throws IOException {
        try (JsonReader reader = Json.createReader(new StringReader(text))) {
            return reader.readObject();
        } catch (JsonException | IllegalStateException e) {
            throw new IOException("tailscaled's answer is no JSON object", e);
        }
    }

    /** Sends the request and reads the answer up to its body. */
    private static BufferedReader body(SocketChannel channel, String method, String path, Optional<JsonObject> content)
            throws IOException {
        byte[] sent = content.map(JsonObject::toString).orElse("").getBytes(StandardCharsets.UTF_8);
        String head = method + " " + PREFIX + path + " HTTP/1.0\r\nHost: local-tailscaled.sock\r\nContent-Length: "
                + sent.length + "\r\n\r\n";
        write(channel, head.getBytes(StandardCharsets.US_ASCII));
        write(channel, sent);
        BufferedReader reader =
                new BufferedReader(new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8));
        String status = reader.readLine();
        for (String line = reader.readLine(); line != null && !line.isEmpty(); line = reader.readLine()) {
            // Headers hold nothing that we need.
        }
        if (status == null || !status.matches("HTTP/1\\.[01] 2.*")) {
            String why =
                    reader.lines().limit(5).collect(Collectors.joining(" ")).strip();
            throw new IOException(status == null ? "tailscaled does not answer" : status.substring(9) + ": " + why);
        }
        return reader;
    }

    private static void write(SocketChannel channel, byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException _) {
            // The one who waits for the answer is told by his own read.
        }
    }
}
