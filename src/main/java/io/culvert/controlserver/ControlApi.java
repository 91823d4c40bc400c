// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import io.culvert.status.ControlRequest;
import io.culvert.status.ControlResult;
import io.culvert.status.StatusReport;
import io.culvert.timing.Threads;
import jakarta.json.Json;
import jakarta.json.JsonException;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.regex.Pattern;

/** The API of the HTTP control server; its description is the resource {@code openapi.json}. */
final class ControlApi {

    /** However often clients ask, the exit node's thread is asked about this often. */
    private static final Duration STATUS_AGE = Duration.ofMillis(500);

    /** An audit follows all packets, which takes the time of a processor. */
    private static final Duration AUDIT_AGE = Duration.ofSeconds(5);

    /** Longer than a switch to another server, and back, may take. */
    private static final Duration CONTROL_TIMEOUT = Duration.ofSeconds(60);

    /** After this time without an event, the status is sent again if it has changed. */
    private static final Duration STREAM_INTERVAL = Duration.ofSeconds(5);

    /** Changes usually come in groups. */
    private static final Duration STREAM_QUIET = Duration.ofMillis(200);

    /** Tailscale's login URL allows whoever opens it to add this node to a tailnet. */
    private static final Pattern URL = Pattern.compile("https?://[^\\s\"<\\\\]+");

    /** Responds to a request. */
    private interface Handler {
        ApiResponse handle(ApiRequest request) throws InterruptedException;
    }

    private final ExitNodeAccess exitNode;
    private final EventLog events;
    private final HttpLimits limits;
    private final RequestChecks checks;
    private final CachedValue<ExitNodeFigures> figures;
    private final History history = new History();
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();
    private final CachedValue<JsonObject> audit;
    private final AtomicInteger streams = new AtomicInteger();
    private final Map<String, Map<String, Handler>> routes = new LinkedHashMap<>();

    ControlApi(ExitNodeAccess exitNode, EventLog events, HttpLimits limits, Threads threads, Clock clock) {
        this.exitNode = exitNode;
        this.events = events;
        this.limits = limits;
        this.checks = new RequestChecks(exitNode, limits, threads);
        this.clock = clock;
        this.figures = new CachedValue<>(exitNode.figures(), STATUS_AGE, threads::nanoTime);
        this.audit = new CachedValue<>(exitNode.audit(), AUDIT_AGE, threads::nanoTime);
        get("/", this::page);
        get(
                "/metrics",
                request -> new Metrics(figures.get())
                        .response(request.header("accept").orElse("")));
        get("/healthz", _ -> health(200, "ok"));
        get("/readyz", _ -> {
            StatusReport report = status();
            return health(report.healthy() ? 200 : 503, report.state().toString());
        });
        get("/openapi.json", _ -> ApiResponse.text(200, "application/json", resource("openapi.json")));
        get(
                "/v1/status",
                request -> ApiResponse.text(
                        200, "application/json", shown(status().toJson().toString(), request)));
        get("/v1/audit", _ -> ApiResponse.json(200, audit.get()));
        get("/v1/events", this::stream);
        for (ControlRequest.Kind kind : ControlRequest.Kind.values()) {
            change("/v1/" + kind, request -> control(kind, request));
        }
        gluetun();
        change("/v1/leak-test", _ -> ApiResponse.json(200, exitNode.leakTest().get()));
    }

    /** Adds the routes of gluetun's API. */
    private void gluetun() {
        get("/v1/vpn/status", _ -> ApiResponse.json(200, GluetunApi.vpnStatus(status().state())));
        get("/v1/vpn/settings", _ -> ApiResponse.json(200, GluetunApi.settings()));
        get("/v1/openvpn/status", _ -> ApiResponse.json(200, GluetunApi.status("stopped")));
        get("/v1/dns/status", _ -> ApiResponse.json(200, GluetunApi.status("running")));
        for (String path : List.of("/v1/portforward", "/v1/openvpn/portforwarded")) {
            get(
                    path,
                    _ -> ApiResponse.json(
                            200,
                            GluetunApi.forwardedPort(
                                    status().facts().forwardedPort().port())));
        }
        for (String path : List.of("/v1/vpn/status", "/v1/openvpn/status")) {
            change("PUT", path, request -> {
                Optional<ControlRequest> change = GluetunApi.change(request.body());
                return change.isPresent()
                        ? control(change.get(), _ -> GluetunApi.outcome(change.get()))
                        : ApiResponse.error(
                                400,
                                "no status is named",
                                "send {\"status\": \"stopped\"} or {\"status\": \"running\"}");
            });
        }
    }

    private void get(String path, Handler handler) {
        routes.computeIfAbsent(path, _ -> new LinkedHashMap<>()).put("GET", handler);
    }

    private void change(String path, Handler handler) {
        change("POST", path, handler);
    }

    /** Adds a route that requires the token. */
    private void change(String method, String path, Handler handler) {
        routes.computeIfAbsent(path, _ -> new LinkedHashMap<>()).put(method, request -> {
            Optional<ApiResponse> refusal = checks.tokenRefusal(request);
            return refusal.isPresent() ? refusal.get() : handler.handle(request);
        });
    }

    /** Returns the methods of each path. */
    Map<String, List<String>> routes() {
        Map<String, List<String>> methods = new LinkedHashMap<>();
        routes.forEach((path, handlers) -> methods.put(path, List.copyOf(handlers.keySet())));
        return methods;
    }

    ApiResponse respond(ApiRequest request) throws InterruptedException {
        Optional<ApiResponse> refusal = checks.refusal(request);
        if (refusal.isPresent()) {
            return refusal.get();
        }
        Map<String, Handler> handlers = routes.getOrDefault(request.path(), Map.of());
        if (handlers.isEmpty()) {
            return ApiResponse.error(404, "there is no such path", "see /openapi.json");
        }
        Handler handler = handlers.get(request.method());
        if (handler == null) {
            return ApiResponse.error(405, "this method is not supported here", "see /openapi.json")
                    .with("Allow", String.join(", ", handlers.keySet()));
        }
        try {
            return handler.handle(request);
        } catch (RuntimeException e) {
            return ApiResponse.error(
                    503, "the exit node does not respond, or cannot do this now", "see the log of Culvert");
        }
    }

    private StatusReport status() {
        return figures.get().status();
    }

    /** Adds a sample to the history; to be called at its interval. */
    void sample() {
        history.add(clock.instant(), figures.get());
    }

    private ApiResponse page(ApiRequest request) throws InterruptedException {
        byte[] bytes = new byte[16];
        random.nextBytes(bytes);
        String nonce = HexFormat.of().formatHex(bytes);
        JsonObject report;
        try {
            report = audit.get();
        } catch (RuntimeException _) {
            report = JsonObject.EMPTY_JSON_OBJECT;
        }
        String html = new StatusPage(
                        figures.get(), report, events.latest(), history.lastHour(), history.lastDay(), clock.instant())
                .html(resource("page.html"), nonce);
        return ApiResponse.text(200, "text/html; charset=utf-8", shown(html, request))
                .with(
                        "Content-Security-Policy",
                        "default-src 'none'; script-src 'nonce-" + nonce + "'; style-src 'nonce-" + nonce
                                + "'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
                                + " frame-ancestors 'none'");
    }

    private ApiResponse health(int code, String word) {
        status();
        return ApiResponse.text(code, "text/plain; charset=utf-8", word + "\n");
    }

    /** Returns a text without URLs, unless the client has the token. */
    private String shown(String text, ApiRequest request) throws InterruptedException {
        return checks.hasToken(request) ? text : withoutUrls(text);
    }

    private static String withoutUrls(String text) {
        return URL.matcher(text).replaceAll("(URL: see 'culvert status')");
    }

    private ApiResponse control(ControlRequest.Kind kind, ApiRequest request) throws InterruptedException {
        String server = "";
        if (kind == ControlRequest.Kind.USE) {
            try (var reader = Json.createReader(new StringReader(request.body()))) {
                server = reader.readObject().getString("server");
            } catch (JsonException | NullPointerException | ClassCastException _) {
                return ApiResponse.error(400, "no server is named", "send {\"server\": \"wg0.conf\"}");
            }
        }
        return control(new ControlRequest(kind, server), ControlResult::toJson);
    }

    /** @param shown the response to what was done; what was not done is shown as it is */
    private ApiResponse control(ControlRequest request, Function<ControlResult, JsonObject> shown)
            throws InterruptedException {
        CompletableFuture<ControlResult> response = new CompletableFuture<>();
        exitNode.control().accept(request, response::complete);
        try {
            ControlResult result = response.get(CONTROL_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            figures.expire();
            return switch (result.exitStatus()) {
                case 0 -> ApiResponse.json(200, shown.apply(result));
                case 2 -> ApiResponse.json(400, result.toJson());
                default -> ApiResponse.json(409, result.toJson());
            };
        } catch (TimeoutException _) {
            return ApiResponse.error(504, "the exit node has not responded yet", "see /v1/status");
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private ApiResponse stream(ApiRequest request) throws InterruptedException {
        if (streams.incrementAndGet() > limits.streams()) {
            streams.decrementAndGet();
            return ApiResponse.error(503, "too many clients receive events", "close one of them");
        }
        boolean hasToken = checks.hasToken(request);
        return ApiResponse.stream(writer -> {
            try {
                send(writer, hasToken);
            } finally {
                streams.decrementAndGet();
            }
        });
    }

    /** Sends the log lines, those that are kept first, and the status whenever it has changed. */
    private void send(EventWriter writer, boolean hasToken) {
        long sent = 0;
        String lastStatus = "";
        while (true) {
            try {
                List<EventLog.Event> next = events.after(sent, STREAM_INTERVAL);
                if (!next.isEmpty() && sent > 0) {
                    next = events.after(sent + next.size(), STREAM_QUIET).isEmpty()
                            ? next
                            : events.after(sent, Duration.ZERO);
                }
                for (EventLog.Event event : next) {
                    writer.send("log", shown(event, hasToken));
                    sent = event.number();
                }
                String json = status().toJson().toString();
                if (json.equals(lastStatus)) {
                    writer.keepAlive();
                } else {
                    writer.send("status", hasToken ? json : withoutUrls(json));
                    lastStatus = json;
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private static String shown(EventLog.Event event, boolean hasToken) {
        String json = Json.createObjectBuilder()
                .add("time", event.time().toString())
                .add("level", event.level().toString())
                .add("line", event.line())
                .build()
                .toString();
        return hasToken ? json : withoutUrls(json);
    }

    static String resource(String name) {
        try (InputStream stream = Objects.requireNonNull(ControlApi.class.getResourceAsStream(name), name)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
