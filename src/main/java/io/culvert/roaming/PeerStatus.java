// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/**
 * The endpoint status of a peer, for status output.
 *
 * @param endpoint in use; empty where none is known
 * @param rank of the endpoint among the candidates, from 1; 0 where it is not one of them
 * @param candidates the number of candidates
 * @param since when the endpoint was set; empty before the first change
 * @param changes the number of endpoint changes since the start
 * @param failedProbes the number of failed probes since the start
 */
public record PeerStatus(
        State state,
        Optional<InetSocketAddress> endpoint,
        int rank,
        int candidates,
        Optional<Instant> since,
        int changes,
        int failedProbes) {

    /** The state in one word. */
    public enum State {
        /** At the first candidate. */
        PREFERRED,
        /** At another candidate. */
        FALLBACK,
        /** At an endpoint that it roamed to and that is not a candidate. */
        ROAMED,
        /** It responds at no endpoint. */
        LOST,
        /** It has no known endpoint and has to initiate the handshake. */
        AWAITED;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
