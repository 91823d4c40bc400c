// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import io.culvert.status.ControlRequest;
import io.culvert.status.StatusReport;
import jakarta.json.Json;
import jakarta.json.JsonException;
import jakarta.json.JsonObject;
import java.io.StringReader;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The responses of gluetun's control API (gluetun, {@code internal/server}), for programs that were written for it: whether the
 * tunnel is connected, the forwarded port, and stopping and starting the tunnel.
 */
final class GluetunApi {

    private GluetunApi() {}

    /** Returns the response of {@code /v1/vpn/status}, in gluetun's words (its {@code constants/status.go}). */
    static JsonObject vpnStatus(StatusReport.State state) {
        return status(
                switch (state) {
                    case CONNECTED, DEGRADED, EXPOSED -> "running";
                    case CONNECTING, FAILING_OVER, BLOCKED -> "starting";
                    case PAUSED, STOPPED -> "stopped";
                    case UNRESPONSIVE -> "crashed";
                });
    }

    /** Returns the response about a part that gluetun has and that is always there, or never. */
    static JsonObject status(String word) {
        return Json.createObjectBuilder().add("status", word).build();
    }

    /** Returns what a request to change the status requests; empty if it is not understood. */
    static Optional<ControlRequest> change(String body) {
        try (var reader = Json.createReader(new StringReader(body))) {
            return switch (reader.readObject().getString("status")) {
                case "running" -> Optional.of(ControlRequest.of(ControlRequest.Kind.RESUME));
                case "stopped" -> Optional.of(ControlRequest.of(ControlRequest.Kind.PAUSE));
                default -> Optional.empty();
            };
        } catch (JsonException | NullPointerException | ClassCastException _) {
            return Optional.empty();
        }
    }

    /** Returns the response to a change that was made. */
    static JsonObject outcome(ControlRequest request) {
        return Json.createObjectBuilder()
                .add("outcome", request.kind() == ControlRequest.Kind.PAUSE ? "stopped" : "running")
                .build();
    }

    /** Returns the response of {@code /v1/portforward}; 0 stands for none. */
    static JsonObject forwardedPort(OptionalInt port) {
        var ports = Json.createArrayBuilder();
        port.ifPresent(ports::add);
        return Json.createObjectBuilder()
                .add("port", port.orElse(0))
                .add("ports", ports)
                .build();
    }

    /** Returns the part of {@code /v1/vpn/settings} that is not specific to gluetun's own lists; no keys. */
    static JsonObject settings() {
        return Json.createObjectBuilder()
                .add("type", "wireguard")
                .add("provider", Json.createObjectBuilder().add("name", "custom"))
                .build();
    }
}
