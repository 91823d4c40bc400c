// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.runtime.Environment;
import io.culvert.status.ControlRequest;
import io.culvert.status.ControlResult;
import io.culvert.status.ControlSocket;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusReport.State;
import io.culvert.status.StatusSocket;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.file.AccessDeniedException;
import java.time.Duration;

/** Sends requests to the running exit node. */
public final class ControlClient {

    private static final Location LOCATION = Location.machine("exit node");

    /** Longer than a running exit node takes: it waits for a server, and may have other work before. */
    private static final Duration TIMEOUT = SwitchRequests.DEADLINE.plusSeconds(15);

    private ControlClient() {}

    /** @throws ProblemException of kind MACHINE if no exit node is running here, or does not respond */
    public static ControlResult send(Environment environment, ControlRequest request) {
        return send(environment, request, TIMEOUT);
    }

    static ControlResult send(Environment environment, ControlRequest request, Duration timeout) {
        try {
            return ControlSocket.send(environment.controlSocket(), request.toJson(), timeout)
                    .map(ControlResult::fromJson)
                    .orElseThrow(() -> noResponse(environment, LOCATION));
        } catch (SocketTimeoutException _) {
            throw new ProblemException(Problem.machine(
                    LOCATION, "has not responded within " + timeout.toSeconds() + " s", "see 'culvert status'"));
        } catch (AccessDeniedException _) {
            throw notPermitted();
        } catch (IOException e) {
            throw "Permission denied".equals(e.getMessage()) ? notPermitted() : noResponse(environment, LOCATION);
        }
    }

    private static ProblemException notPermitted() {
        return new ProblemException(
                Problem.machine(LOCATION, "only its own user may control it", "run the command as root"));
    }

    /** Returns the exception for an exit node that is not running, or does not respond. */
    static ProblemException noResponse(Environment environment, Location location) {
        StatusReport status = StatusSocket.query(environment.statusSocket());
        return new ProblemException(
                status.state() == State.STOPPED
                        ? Problem.machine(location, "no exit node is running here", "start it with 'culvert up'")
                        : Problem.machine(location, "the exit node does not respond", "see 'culvert status'"));
    }
}
