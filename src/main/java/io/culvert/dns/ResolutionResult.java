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

    /** The result if no server responds, or resolving fails. */
    public static final ResolutionResult NO_RESPONSE = new ResolutionResult(List.of(), Duration.ZERO, false, List.of());

    public ResolutionResult {
        addresses = List.copyOf(addresses);
        problems = List.copyOf(problems);
    }

    /** Returns the result of a resolver that reports no TTL. */
    public static ResolutionResult withoutTtl(List<InetAddress> addresses) {
        return new ResolutionResult(addresses, Duration.ZERO, true, List.of());
    }
}
