// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import io.culvert.net.Endpoint;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.DeviceState.PeerState;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The state of WireGuard devices as text, in the format of {@code wg show} (wireguard-tools, src/show.c), and as JSON.
 * Contains no secrets.
 *
 * @param devices by interface name
 */
public record WgShowText(Map<String, DeviceState> devices) {

    public WgShowText {
        devices = Collections.unmodifiableMap(new TreeMap<>(devices));
    }

    public String text(Instant now) {
        return devices.entrySet().stream()
                .map(device -> String.join("\n", lines(device.getKey(), device.getValue(), now)))
                .collect(Collectors.joining("\n\n"));
    }

    private static List<String> lines(String name, DeviceState state, Instant now) {
        List<String> lines = new ArrayList<>();
        lines.add("interface: " + name);
        state.publicKey().ifPresent(key -> {
            lines.add("  public key: " + key);
            lines.add("  private key: (hidden)");
        });
        if (state.listenPort() != 0) {
            lines.add("  listening port: " + state.listenPort());
        }
        if (state.mark() != 0) {
            lines.add("  fwmark: 0x" + Long.toHexString(state.mark()));
        }
        state.peers().stream()
                .sorted(Comparator.comparing(
                                (PeerState peer) -> peer.lastHandshake().orElse(Instant.EPOCH))
                        .reversed())
                .forEach(peer -> appendPeer(peer, now, lines));
        return lines;
    }

    private static void appendPeer(PeerState peer, Instant now, List<String> lines) {
        lines.add("");
        lines.add("peer: " + peer.publicKey());
        if (peer.presharedKey()) {
            lines.add("  preshared key: (hidden)");
        }
        peer.endpoint().ifPresent(endpoint -> lines.add("  endpoint: " + Endpoint.of(endpoint)));
        lines.add("  allowed ips: "
                + (peer.allowedIps().isEmpty()
                        ? "(none)"
                        : peer.allowedIps().stream().map(Object::toString).collect(Collectors.joining(", "))));
        peer.lastHandshake().ifPresent(time -> lines.add("  latest handshake: " + ago(Duration.between(time, now))));
        if (peer.receivedBytes() != 0 || peer.sentBytes() != 0) {
            lines.add("  transfer: " + StatusReport.bytes(peer.receivedBytes()) + " received, "
                    + StatusReport.bytes(peer.sentBytes()) + " sent");
        }
        if (peer.keepaliveSeconds() > 0) {
            lines.add("  persistent keepalive: every " + spell(Duration.ofSeconds(peer.keepaliveSeconds())));
        }
    }

    private static String ago(Duration age) {
        return age.toSeconds() <= 0 ? "Now" : spell(age) + " ago";
    }

    /** Spells a duration, such as {@code 1 minute, 25 seconds}. */
    private static String spell(Duration time) {
        return Stream.of(
                        spell(time.toDays() / 365, "year"),
                        spell(time.toDays() % 365, "day"),
                        spell(time.toHoursPart(), "hour"),
                        spell(time.toMinutesPart(), "minute"),
                        spell(time.toSecondsPart(), "second"))
                .filter(part -> !part.isEmpty())
                .collect(Collectors.joining(", "));
    }

    private static String spell(long count, String unit) {
        return count == 0 ? "" : count + " " + unit + (count == 1 ? "" : "s");
    }

    public JsonObject json() {
        JsonObjectBuilder json = Json.createObjectBuilder();
        devices.forEach((name, state) -> {
            JsonArrayBuilder peers = Json.createArrayBuilder();
            state.peers().forEach(peer -> peers.add(json(peer)));
            JsonObjectBuilder device = Json.createObjectBuilder();
            state.publicKey().ifPresent(key -> device.add("publicKey", key.toString()));
            json.add(
                    name,
                    device.add("listenPort", state.listenPort())
                            .add("mark", state.mark())
                            .add("peers", peers));
        });
        return json.build();
    }

    private static JsonObjectBuilder json(PeerState peer) {
        JsonObjectBuilder json =
                Json.createObjectBuilder().add("publicKey", peer.publicKey().toString());
        peer.endpoint()
                .ifPresent(
                        endpoint -> json.add("endpoint", Endpoint.of(endpoint).toString()));
        peer.lastHandshake().ifPresent(time -> json.add("latestHandshake", time.toString()));
        return json.add("receivedBytes", peer.receivedBytes())
                .add("sentBytes", peer.sentBytes())
                .add("persistentKeepaliveSeconds", peer.keepaliveSeconds())
                .add(
                        "allowedIps",
                        Json.createArrayBuilder(
                                peer.allowedIps().stream().map(Object::toString).toList()));
    }
}
