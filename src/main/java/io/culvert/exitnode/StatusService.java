// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.leaktest.LeakTestResult;
import io.culvert.reconcile.EventQueue;
import io.culvert.runtime.Environment;
import io.culvert.status.ControlRequest;
import io.culvert.status.ControlSocket;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusSocket;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Serves the status, runs a leak test for each client of a second socket, and receives commands on a third: each request is
 * handled by the exit node's one thread, so that every report is consistent. The first two sockets accept nothing from their
 * clients but the connection.
 */
final class StatusService implements AutoCloseable {

    /** How long the exit node may take to respond. */
    private static final int TIMEOUT_SECONDS = 10;

    private final Log log;
    private final List<AutoCloseable> sockets;

    private StatusService(Log log, List<AutoCloseable> sockets) {
        this.log = log;
        this.sockets = List.copyOf(sockets);
    }

    /** Opens the sockets; where that fails, logs a warning, and the exit node runs without them. */
    static StatusService open(Environment environment, EventQueue<ExitNodeEvent> events) {
        List<AutoCloseable> sockets = new ArrayList<>();
        try {
            sockets.add(StatusSocket.serve(environment.statusSocket(), () -> requestReport(events)));
            sockets.add(StatusSocket.serveJson(environment.leakTestSocket(), () -> requestLeakTest(events)));
            sockets.add(ControlSocket.listen(environment.controlSocket(), pending -> handle(pending, events)));
        } catch (IOException e) {
            environment
                    .log()
                    .problems(List.of(Problem.warning(
                            Location.machine(environment.statusSocket().toString()),
                            "cannot be created, so commands about the running exit node will not work: "
                                    + e.getMessage(),
                            Hints.here().makeWritable("/run"))));
        }
        return new StatusService(environment.log(), sockets);
    }

    private static void handle(ControlSocket.PendingRequest pending, EventQueue<ExitNodeEvent> events) {
        ControlRequest.fromJson(pending.body())
                .ifPresentOrElse(
                        request -> events.add(new ExitNodeEvent.ControlRequested(
                                request, result -> pending.respond(result.toJson()))),
                        pending::close);
    }

    private static StatusReport requestReport(EventQueue<ExitNodeEvent> events) {
        return request(events, ExitNodeEvent.StatusRequested::new);
    }

    /** Requests a leak test, from any thread but the exit node's. */
    static JsonObject requestLeakTest(EventQueue<ExitNodeEvent> events) {
        return StatusService.<LeakTestResult>request(events, ExitNodeEvent.LeakTestRequested::new)
                .toJson();
    }

    /** Requests something from any thread but the exit node's, and waits for the response. */
    static <T> T request(EventQueue<ExitNodeEvent> events, Function<CompletableFuture<T>, ExitNodeEvent> event) {
        CompletableFuture<T> response = new CompletableFuture<>();
        events.add(event.apply(response));
        return response.orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS).join();
    }

    @Override
    public void close() {
        for (AutoCloseable socket : sockets) {
            try {
                socket.close();
            } catch (Exception e) {
                log.debug("status socket: " + e.getMessage());
            }
        }
    }
}
