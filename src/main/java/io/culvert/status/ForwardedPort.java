// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import java.util.OptionalInt;

/**
 * The port that the provider forwards through the tunnel.
 *
 * @param enabled whether one is requested or set
 * @param port empty while there is none
 * @param detail by what it is forwarded, or why there is none
 */
public record ForwardedPort(boolean enabled, OptionalInt port, String detail) {

    /** No port is to be forwarded. */
    public static final ForwardedPort OFF = new ForwardedPort(false, OptionalInt.empty(), "");

    @Override
    public String toString() {
        return (port.isPresent() ? String.valueOf(port.getAsInt()) : "none")
                + (detail.isEmpty() ? "" : " (" + detail + ")");
    }

    public JsonObject toJson() {
        JsonObjectBuilder json =
                Json.createObjectBuilder().add("enabled", enabled).add("detail", detail);
        port.ifPresent(number -> json.add("port", number));
        return json.build();
    }

    static ForwardedPort fromJson(JsonObject json) {
        return new ForwardedPort(
                json.getBoolean("enabled"),
                json.containsKey("port") ? OptionalInt.of(json.getInt("port")) : OptionalInt.empty(),
                json.getString("detail"));
    }
}
