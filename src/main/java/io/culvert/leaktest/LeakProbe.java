// SPDX-License-Identifier: Apache-2.0
package io.culvert.leaktest;

import io.culvert.linux.Egress;
import io.culvert.linux.OneHopSocket;
import io.culvert.net.Family;
import java.net.InetSocketAddress;
import java.util.Optional;

/**
 * One packet of a leak test.
 *
 * @param name unique in a test, as shown
 * @param family of source and destination, and of what cannot be sent
 * @param source the address and port to bind to; the port 0 is an ephemeral one
 * @param skipped why it is not sent; empty if it is
 */
record LeakProbe(
        Purpose purpose,
        String name,
        Family family,
        OneHopSocket.Kind kind,
        Egress egress,
        Optional<InetSocketAddress> source,
        InetSocketAddress destination,
        Optional<String> skipped) {

    /** What has to become of the packet. */
    enum Purpose {
        /** The kill switch must block it, or the tunnel must take it. */
        BLOCKED,
        /** Positive control: the observer must see it on the loopback interface. */
        SEEN_INSIDE,
        /** Positive control: the kill switch always allows it, so the observer must see it on an uplink. */
        SEEN_OUTSIDE
    }

    LeakProbe skippedBecause(String reason) {
        return new LeakProbe(purpose, name, family, kind, egress, source, destination, Optional.of(reason));
    }
}
