package io.culvert.exitnode;

import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.run.Journal;
import io.culvert.run.Surroundings;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusSocket;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Serves the status: each request is handled by the exit node's one thread, so that every report is consistent. */
final class StatusService implements AutoCloseable {

    private static final int PATIENCE_SECONDS = 10;

    private final Journal journal;
    private final AutoCloseable socket;

    private StatusService(Journal journal, AutoCloseable socket) {
        this.journal = journal;
        this.socket = socket;
    }

    /** Opens the status socket; where that fails, logs a warning, and the exit node runs without it. */
    static StatusService open(Surroundings around, Wakeups wakeups) {
        try {
            return new StatusService(around.journal(), StatusSocket.serve(around.statusSocket(), () -> ask(wakeups)));
        } catch (IOException e) {
            around.journal()
                    .problems(List.of(Problem.warning(
                            Place.machine(around.statusSocket().toString()),
                            "cannot be created, so 'culvert status' and 'culvert health' will not work: "
                                    + e.getMessage(),
                            Hints.here().writable("/run"))));
            return new StatusService(around.journal(), () -> {});
        }
    }

    private static StatusReport ask(Wakeups wakeups) {
        CompletableFuture<StatusReport> answer = new CompletableFuture<>();
        wakeups.add(new Event.StatusAsked(answer));
        return answer.orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (Exception e) {
            journal.debug("status socket: " + e.getMessage());
        }
    }
}
