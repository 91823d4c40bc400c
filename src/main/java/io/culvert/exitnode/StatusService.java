// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.reconcile.EventQueue;
import io.culvert.runtime.Environment;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusSocket;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Serves the status: each request is handled by the exit node's one thread, so that every report is consistent. */
final class StatusService implements AutoCloseable {

    private static final int TIMEOUT_SECONDS = 10;

    private final Log log;
    private final AutoCloseable socket;

    private StatusService(Log log, AutoCloseable socket) {
        this.log = log;
        this.socket = socket;
    }

    /** Opens the status socket; where that fails, logs a warning, and the exit node runs without it. */
    static StatusService open(Environment environment, EventQueue<ExitNodeEvent> events) {
        try {
            return new StatusService(
                    environment.log(), StatusSocket.serve(environment.statusSocket(), () -> requestReport(events)));
        } catch (IOException e) {
            environment
                    .log()
                    .problems(List.of(Problem.warning(
                            Location.machine(environment.statusSocket().toString()),
                            "cannot be created, so 'culvert status' and 'culvert health' will not work: "
                                    + e.getMessage(),
                            Hints.here().makeWritable("/run"))));
            return new StatusService(environment.log(), () -> {});
        }
    }

    private static StatusReport requestReport(EventQueue<ExitNodeEvent> events) {
        CompletableFuture<StatusReport> response = new CompletableFuture<>();
        events.add(new ExitNodeEvent.StatusRequested(response));
        return response.orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS).join();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (Exception e) {
            log.debug("status socket: " + e.getMessage());
        }
    }
}
