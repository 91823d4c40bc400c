// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Family;
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

/** The command {@code tailscale} with the socket of a running tailscaled. */
public final class TailscaleCli {

    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private final Path socket;

    TailscaleCli(Path socket) {
        this.socket = socket;
    }

    /** Runs {@code tailscale} to its end; it must succeed. */
    public String run(String... arguments) {
        return attempt(arguments).outputOrFail();
    }

    /** Runs {@code tailscale} to its end. */
    public CommandResult attempt(String... arguments) {
        return CommandResult.of(command(arguments));
    }

    private List<String> command(String... arguments) {
        List<String> command = new ArrayList<>(List.of(GoProgram.path("tailscale"), "--socket=" + socket));
        command.addAll(List.of(arguments));
        return command;
    }

    /** Returns the output of {@code tailscale status --json} (ipnstate.Status in Tailscale's source). */
    public JsonObject status() {
        return Json.createReader(new StringReader(run("status", "--json"))).readObject();
    }

    /** Returns the part of the status about the peer with this host name. */
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

    /** Returns its own address in the tailnet. */
    public String address(Family family) {
        return status().getJsonObject("Self").getJsonArray("TailscaleIPs").getValuesAs(JsonString::getString).stream()
                .filter(address -> address.contains(":") == (family == Family.IPV6))
                .findFirst()
                .orElseThrow();
    }

    /** Waits until the status meets a condition, which is checked whenever tailscaled reports a change. */
    public void await(String description, Predicate<JsonObject> condition) {
        long end = System.nanoTime() + ScaledTimeout.of(TIMEOUT).toNanos();
        try (RunningProgram bus = RunningProgram.start(
                "tailscale's bus", command("debug", "watch-ipn", "--initial", "--rate-limit=false"))) {
            for (bus.ignoreEarlierOutput(); !condition.test(status()); bus.ignoreEarlierOutput()) {
                bus.awaitLine("^}", Duration.ofNanos(Math.max(1, end - System.nanoTime())));
            }
        } catch (AssertionError e) {
            throw new AssertionError("no '%s' within %s. Status:%n%s"
                    .formatted(description, TIMEOUT, attempt("status").out()));
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

    /** Waits until it knows a peer of this host name that it may use as exit node. */
    public void awaitExitNode(String name) {
        await(
                "exit node " + name,
                status -> peer(status, name)
                        .filter(peer -> peer.getBoolean("ExitNodeOption"))
                        .isPresent());
    }

    /** Waits until the connection to the peer is direct, not through a relay. */
    public void awaitDirect(String name) {
        run("ping", "--until-direct", "--c=20", "--timeout=1s", name);
    }
}
