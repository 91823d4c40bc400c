// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

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
 * A client of tailscaled's LocalAPI (tailscale: ipn/localapi). Each request is a connection of HTTP 1.0, so that the
 * response is neither chunked nor compressed and ends with the connection.
 *
 * @param socket such as {@code /tmp/tailscaled.sock}
 * @param timeout the timeout of a request
 */
record LocalApi(Path socket, Duration timeout) {

    private static final int HTTPS = 443;
    private static final String PREFIX = "/localapi/v0/";

    /**
     * What the bus sends at first: {@code NotifyInitialState} and {@code NotifyInitialHealthState}; and
     * {@code NotifyRateLimit}, as a large network changes all the time (tailscale: ipn/backend.go).
     */
    private static final int BUS_MASK = 1 << 1 | 1 << 7 | 1 << 8;

    /** @param peers whether to include the other nodes */
    TailscaleStatus status(boolean peers) throws IOException {
        return TailscaleStatus.of(requestJson("GET", "status" + (peers ? "" : "?peers=false"), Optional.empty()));
    }

    JsonObject preferences() throws IOException {
        return requestJson("GET", "prefs", Optional.empty());
    }

    /**
     * Changes preferences.
     *
     * @param masked the preferences, each with its {@code …Set} field (tailscale: ipn.MaskedPrefs)
     */
    void edit(JsonObject masked) throws IOException {
        requestJson("PATCH", "prefs", Optional.of(masked));
    }

    /**
     * Returns the TCP ports of the relays in the DERP map (tailscale: tailcfg, DERPMap); 443 for a relay without one.
     */
    Set<Integer> relayPorts() throws IOException {
        Set<Integer> ports = new TreeSet<>();
        JsonObject map = requestJson("GET", "derpmap", Optional.empty());
        if (map.getOrDefault("Regions", JsonValue.NULL) instanceof JsonObject regions) {
            for (JsonValue region : regions.values()) {
                if (region instanceof JsonObject relays
                        && relays.getOrDefault("Nodes", JsonValue.NULL) instanceof JsonArray nodes) {
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

    /** Returns tailscaled's warning that the kernel does not forward packets; empty if it does. */
    Optional<String> forwardingWarning() throws IOException {
        return Optional.of(requestJson("GET", "check-ip-forwarding", Optional.empty())
                        .getString("Warning", ""))
                .filter(warning -> !warning.isEmpty());
    }

    /** Sends a TSMP ping to a peer and waits for the response; this starts a session if there is none. */
    void ping(InetAddress peer) throws IOException {
        requestJson("POST", "ping?type=TSMP&ip=" + peer.getHostAddress(), Optional.empty());
    }

    /** Opens the notification bus; the caller closes the connection. */
    IpnBusReader watch() throws IOException {
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        try {
            return new IpnBusReader(
                    channel, request(channel, "GET", "watch-ipn-bus?mask=" + BUS_MASK, Optional.empty()));
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private JsonObject requestJson(String method, String path, Optional<JsonObject> content) throws IOException {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            CompletableFuture<Void> deadline = CompletableFuture.runAsync(
                    () -> close(channel), CompletableFuture.delayedExecutor(timeout.toMillis(), TimeUnit.MILLISECONDS));
            try {
                return parseObject(
                        request(channel, method, path, content).lines().collect(Collectors.joining("\n")));
            } finally {
                deadline.cancel(false);
            }
        }
    }

    static JsonObject parseObject(String text) throws IOException {
        try (JsonReader reader = Json.createReader(new StringReader(text))) {
            return reader.readObject();
        } catch (JsonException | IllegalStateException e) {
            throw new IOException("the response of tailscaled is not a JSON object", e);
        }
    }

    /** Sends the request, reads the status and headers, and returns a reader of the body. */
    private static BufferedReader request(
            SocketChannel channel, String method, String path, Optional<JsonObject> content) throws IOException {
        byte[] sent = content.map(JsonObject::toString).orElse("").getBytes(StandardCharsets.UTF_8);
        String head = method + " " + PREFIX + path + " HTTP/1.0\r\nHost: local-tailscaled.sock\r\nContent-Length: "
                + sent.length + "\r\n\r\n";
        write(channel, head.getBytes(StandardCharsets.US_ASCII));
        write(channel, sent);
        BufferedReader reader =
                new BufferedReader(new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8));
        String status = reader.readLine();
        for (String line = reader.readLine(); line != null && !line.isEmpty(); line = reader.readLine()) {
            // No header is needed.
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
            // The thread that waits for the response gets an error from its own read.
        }
    }
}
