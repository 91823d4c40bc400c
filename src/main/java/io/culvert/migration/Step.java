package io.culvert.migration;

import java.net.InetSocketAddress;

/** The next action for a peer. */
sealed interface Step {

    /** Probe the current endpoint. */
    record Check() implements Step {}

    /** Probe another endpoint, and keep it only if the peer responds. */
    record Visit(InetSocketAddress to) implements Step {}

    /** Change to another endpoint at once, as the current one is unreachable. */
    record Leave(InetSocketAddress to) implements Step {}
}
