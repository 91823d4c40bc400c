// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import java.net.InetSocketAddress;

/** The next action for a peer. */
sealed interface SelectionStep {

    /** Probe the current endpoint. */
    record ProbeCurrent() implements SelectionStep {}

    /** Probe another endpoint, and keep it only if the peer responds. */
    record ProbeCandidate(InetSocketAddress to) implements SelectionStep {}

    /** Change to another endpoint at once, as the current one is unreachable. */
    record SwitchTo(InetSocketAddress to) implements SelectionStep {}
}
