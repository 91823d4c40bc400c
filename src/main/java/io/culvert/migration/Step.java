package io.culvert.migration;

import java.net.InetSocketAddress;

/** What is to be done for a peer now. */
sealed interface Step {

    /** Ask the peer for an answer where it is. */
    record Check() implements Step {}

    /** Go there for a moment, and stay only if the peer answers. */
    record Visit(InetSocketAddress to) implements Step {}

    /** Go there at once: nothing can be lost where it is. */
    record Leave(InetSocketAddress to) implements Step {}
}
