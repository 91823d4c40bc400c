// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.leaktest.LeakTestResult;
import io.culvert.runtime.Environment;
import io.culvert.status.StatusSocket;

/** Lets the running exit node run a leak test. It alone knows what is allowed now, and it blocks if there is a leak. */
public final class LeakTestRequest {

    private static final Location LOCATION = Location.machine("leak test");

    private LeakTestRequest() {}

    /** @throws ProblemException of kind MACHINE if no exit node is running here, or does not respond */
    public static LeakTestResult send(Environment environment) {
        return StatusSocket.queryJson(environment.leakTestSocket())
                .map(LeakTestResult::fromJson)
                .orElseThrow(() -> ControlClient.noResponse(environment, LOCATION));
    }

    /** Returns the exception for a test that says nothing. */
    public static ProblemException notRun(LeakTestResult result) {
        return new ProblemException(Problem.machine(
                LOCATION,
                "says nothing: " + result.summary().reason(),
                "run 'culvert check' to find missing requirements"));
    }
}
