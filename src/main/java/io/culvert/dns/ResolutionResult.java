// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.diagnostics.Problem;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;

/**
 * The result of resolving a name.
 *
 * @param addresses in the order of the responses, without forbidden ones; empty if none is usable
 * @param ttl how long the result is valid
 * @param fresh false if no server responded and these are the last known addresses, or none
 * @param problems why addresses are missing, rejected or outdated
 */
public record ResolutionResult(List<InetAddress> addresses, Duration ttl, boolean fresh, List<Problem> problems) {

    public ResolutionResult {
        addresses = List.copyOf(addresses);
        problems = List.copyOf(problems);
    }
}
