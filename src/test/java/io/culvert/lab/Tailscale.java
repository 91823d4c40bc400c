package io.culvert.lab;

import io.culvert.ip.Family;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.io.StringReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** A tailscaled that runs somewhere, reached by its socket as the command {@code tailscale} reaches it. */
public final class Tailscale {

    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final Path socket;

    Tailscale(Path socket) {
        this.socket = socket;
    }

    /** Runs {@code tailscale} to its end; it must succeed. */
    public String run(String... arguments) {
        return attempt(arguments).orFail();
    }

    /** Runs {@code tailscale} to its end. */
    public Outcome attempt(String... arguments) {
        return Outcome.of(command(arguments));
    }

    private List<String> command(String... arguments) {
        List<String> command = new ArrayList<>(List.of(GoProgram.path("tailscale"), "--socket=" + socket));
        command.addAll(List.of(arguments));
        return command;
    }

    /** What {@code tailscale status --json} says (ipnstate.Status in Tailscale's source). */
    public JsonObject status() {
        return Json.createReader(new StringReader(run("status", "--json"))).readObject();
    }

    /** The part of the status about the peer with this host name. */
    public Optional<JsonObject> peer(String name) {
        return peer(status(), name);
    }

    private static Optional<JsonObject> peer(JsonObject status, String name) {
        if (!(status.get("Peer") instanceof JsonObject peers)) {
            return Optional.empty();
        }
        return peers.values().stream()
                .map(JsonValue::asJsonObject)
                .filter(peer -> peer.getString("HostName").equals(name))
                .findFirst();
    }

    /** Its own address in the tailnet. */
    public String address(Family family) {
        return status().getJsonObject("Self").getJsonArray("TailscaleIPs").getValuesAs(JsonString::getString).stream()
                .filter(address -> address.contains(":") == (family == Family.IPV6))
                .findFirst()
                .orElseThrow();
    }

    /** Waits until the status is as wanted. It is looked at whenever tailscaled tells of a change. */
    public void await(String what, Predicate<JsonObject> wanted) {
        long end = System.nanoTime() + Patience.of(DEADLINE).toNanos();
        try (Child bus =
                Child.start("tailscale's bus", command("debug", "watch-ipn", "--initial", "--rate-limit=false"))) {
            for (bus.fromNow(); !wanted.test(status()); bus.fromNow()) {
                bus.awaitLine("^}", Duration.ofNanos(Math.max(1, end - System.nanoTime())));
            }
        } catch (AssertionError e) {
            throw new AssertionError("no '%s' in %s. The status:%n%s"
                    .formatted(what, DEADLINE, attempt("status").out()));
        }
    }

    /** Waits until its preferences have all of these lines. */
    public void awaitPrefs(String... lines) {
        await("preference " + List.of(lines), _ -> List.of(lines).stream().allMatch(run("debug", "prefs")::contains));
    }

    /** Waits until it knows a peer of this host name. */
    public void awaitPeer(String name) {
        await("peer " + name, status -> peer(status, name).isPresent());
    }

    /** Waits until it knows a peer of this host name that it may use as its exit. */
    public void awaitExitNode(String name) {
        await(
                "exit node " + name,
                status -> peer(status, name)
                        .filter(peer -> peer.getBoolean("ExitNodeOption"))
                        .isPresent());
    }

    /** Waits until packets to the peer go straight to it, not by a relay. */
    public void awaitDirect(String name) {
        run("ping", "--until-direct", "--c=20", "--timeout=1s", name);
    }
}
