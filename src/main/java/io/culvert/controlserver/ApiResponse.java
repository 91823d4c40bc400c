// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A response of the HTTP control server.
 *
 * @param events writes server-sent events after the header, until the client disconnects
 */
record ApiResponse(
        int status,
        String contentType,
        String body,
        Map<String, String> headers,
        Optional<Consumer<EventWriter>> events) {

    private static final String NOTHING_LOADED = "default-src 'none'; frame-ancestors 'none'";

    ApiResponse {
        headers = Map.copyOf(headers);
    }

    static ApiResponse text(int status, String contentType, String text) {
        return new ApiResponse(
                status, contentType, text, Map.of("Content-Security-Policy", NOTHING_LOADED), Optional.empty());
    }

    static ApiResponse json(int status, JsonObject json) {
        return text(status, "application/json", json.toString());
    }

    static ApiResponse error(int status, String message, String hint) {
        return json(
                status,
                Json.createObjectBuilder()
                        .add("error", message)
                        .add("hint", hint)
                        .build());
    }

    static ApiResponse stream(Consumer<EventWriter> events) {
        return new ApiResponse(
                200, "text/event-stream", "", Map.of("Content-Security-Policy", NOTHING_LOADED), Optional.of(events));
    }

    ApiResponse with(String name, String value) {
        Map<String, String> all = new LinkedHashMap<>(headers);
        all.put(name, value);
        return new ApiResponse(status, contentType, body, all, events);
    }

    /** Returns the header; what no response lacks protects pages of other origins from it, and it from them. */
    String head(boolean keepsConnection) {
        StringBuilder head = new StringBuilder("HTTP/1.1 " + status + " " + reason(status) + "\r\n");
        headers.forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
        head.append("Content-Type: " + contentType + "\r\n");
        if (events.isEmpty()) {
            head.append("Content-Length: " + body.getBytes(StandardCharsets.UTF_8).length + "\r\n");
        }
        head.append("Cache-Control: no-store\r\n"
                + "X-Content-Type-Options: nosniff\r\n"
                + "Referrer-Policy: no-referrer\r\n"
                + "Cross-Origin-Resource-Policy: same-origin\r\n"
                + "Connection: " + (keepsConnection && events.isEmpty() ? "keep-alive" : "close") + "\r\n\r\n");
        return head.toString();
    }

    /** Returns the reason phrase (RFC 9110, section 15). */
    private static String reason(int status) {
        return switch (status) {
            case 200 -> "OK";
            case 400 -> "Bad Request";
            case 401 -> "Unauthorized";
            case 403 -> "Forbidden";
            case 404 -> "Not Found";
            case 405 -> "Method Not Allowed";
            case 409 -> "Conflict";
            case 411 -> "Length Required";
            case 413 -> "Content Too Large";
            case 415 -> "Unsupported Media Type";
            case 421 -> "Misdirected Request";
            case 429 -> "Too Many Requests";
            case 431 -> "Request Header Fields Too Large";
            case 503 -> "Service Unavailable";
            case 504 -> "Gateway Timeout";
            default -> "Internal Server Error";
        };
    }
}
