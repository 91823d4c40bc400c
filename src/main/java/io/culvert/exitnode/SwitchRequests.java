// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.exitnode.LoadedConfiguration.Server;
import io.culvert.status.ControlResult;
import io.culvert.timing.MonotonicClock;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Requests to use another server, to pause and to resume. A request is responded to when its server has responded; a switch to a
 * server that does not is undone. One request at a time: a new one ends the one before.
 */
final class SwitchRequests {

    /** Two handshake attempts ({@code REKEY_TIMEOUT}, 5 s). Shorter than the timeout after which the exit node fails over. */
    static final Duration DEADLINE = Duration.ofSeconds(10);

    /**
     * A request that waits for the server's response.
     *
     * @param previous the server to return to; empty to go on with the requested one
     */
    private record Pending(Path requested, Optional<Path> previous, Instant start, Consumer<ControlResult> response) {}

    private final Failover failover;
    private final Runnable reconnect;
    private final MonotonicClock clock;
    private final Log log;
    private Optional<Pending> pending = Optional.empty();
    private boolean paused;

    /** @param reconnect ends the session with the server, and connects to the selected one, unless paused */
    SwitchRequests(Failover failover, Runnable reconnect, MonotonicClock clock, Log log) {
        this.failover = failover;
        this.reconnect = reconnect;
        this.clock = clock;
        this.log = log;
    }

    boolean isPaused() {
        return paused;
    }

    /** Returns whether the server in use is to be kept for now, whether it responds or not. */
    boolean keepsServer() {
        return paused || pending.isPresent();
    }

    /** Uses the server after the one in use. */
    void next(Consumer<ControlResult> response) {
        List<Server> servers = failover.servers();
        if (servers.size() == 1) {
            response.accept(refusal(Problem.failure(
                    Location.file(failover.file()),
                    "is the only file",
                    "add another one, and set CULVERT_WIREGUARD_CONFIG to their directory")));
            return;
        }
        select(servers.get((servers.indexOf(failover.current()) + 1) % servers.size()), response);
    }

    /** Uses a server by the name of its file, with or without {@code .conf}. */
    void use(String name, Consumer<ControlResult> response) {
        failover.servers().stream()
                .filter(server ->
                        name(server.file()).equals(name) || name(server.file()).equals(name + ".conf"))
                .findFirst()
                .ifPresentOrElse(
                        server -> select(server, response),
                        () -> response.accept(refusal(Problem.input(
                                new Location.CommandLine("culvert use " + name),
                                "there is no such file",
                                "use one of: "
                                        + failover.servers().stream()
                                                .map(server -> name(server.file()))
                                                .collect(Collectors.joining(", "))))));
    }

    void pause(Consumer<ControlResult> response) {
        supersede();
        if (!paused) {
            paused = true;
            log.info("tunnel: paused, as requested; what needs it is blocked");
            reconnect.run();
        }
        response.accept(ControlResult.done("paused"));
    }

    void resume(Consumer<ControlResult> response) {
        if (!paused) {
            response.accept(ControlResult.done("not paused"));
            return;
        }
        paused = false;
        log.info("tunnel: resumed, as requested");
        reconnect.run();
        pending = Optional.of(new Pending(failover.file(), Optional.empty(), clock.instant(), response));
    }

    private void select(Server server, Consumer<ControlResult> response) {
        Optional<Path> origin = pending.flatMap(Pending::previous);
        supersede();
        Path previous = origin.orElse(failover.file());
        if (server.equals(failover.current()) && !paused) {
            response.accept(ControlResult.done(name(server.file()) + " is in use already"));
            return;
        }
        log.info("tunnel: switching to " + name(server.file()) + ", as requested");
        failover.select(server, clock.instant());
        reconnect.run();
        if (paused) {
            response.accept(ControlResult.done(name(server.file()) + " will be used when resumed"));
        } else {
            pending = Optional.of(new Pending(server.file(), Optional.of(previous), clock.instant(), response));
        }
    }

    private void supersede() {
        Optional<Pending> ended = pending;
        pending = Optional.empty();
        ended.ifPresent(it -> it.response()
                .accept(refusal(Problem.failure(
                        Location.file(it.requested()), "another request came before its server responded", ""))));
    }

    /**
     * Responds to the request that waits, if its server has responded, or did not in time.
     *
     * @param connected whether the server in use has responded
     * @return when to call this again at the latest
     */
    Optional<Instant> check(boolean connected) {
        if (pending.isEmpty()) {
            return Optional.empty();
        }
        Pending request = pending.get();
        Instant now = clock.instant();
        if (!failover.file().equals(request.requested())) {
            pending = Optional.empty();
            request.response()
                    .accept(refusal(Problem.failure(
                            Location.file(request.requested()),
                            "its server is no longer in use",
                            "see 'culvert status'")));
        } else if (connected) {
            pending = Optional.empty();
            request.response()
                    .accept(ControlResult.done("connected to the server of " + name(request.requested()) + " in "
                            + Duration.between(request.start(), now).toMillis() + " ms"));
        } else if (!now.isBefore(request.start().plus(DEADLINE))) {
            pending = Optional.empty();
            giveUp(request);
        } else {
            return Optional.of(request.start().plus(DEADLINE));
        }
        return Optional.empty();
    }

    private void giveUp(Pending request) {
        Optional<Server> previous = request.previous()
                .flatMap(file -> failover.servers().stream()
                        .filter(server -> server.file().equals(file))
                        .findFirst());
        String noResponse = "no response within " + DEADLINE.toSeconds() + " s";
        previous.ifPresent(server -> {
            log.warn("tunnel: " + noResponse + " from the server of " + name(request.requested()) + "; returning to "
                    + name(server.file()));
            failover.select(server, clock.instant());
            reconnect.run();
        });
        request.response()
                .accept(refusal(Problem.failure(
                        Location.file(request.requested()),
                        noResponse + " from its server; "
                                + previous.map(server -> "returned to " + name(server.file()))
                                        .orElse("still trying"),
                        "see 'culvert status'")));
    }

    private static ControlResult refusal(Problem problem) {
        return new ControlResult(new ProblemException(problem).exitStatus(), "not done", List.of(problem));
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }
}
