package io.culvert.migration;

import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/**
 * Where a peer stands, for people and programs.
 *
 * @param endpoint in use; empty where none is known
 * @param rank of the endpoint among those in the file, from 1; 0 where it is not among them
 * @param of how many there are in the file
 * @param since when it is there; empty before it was ever seen to move
 * @param moves since the start
 * @param refused places that were tried and not moved to, since the start
 */
public record Standing(
        State state,
        Optional<InetSocketAddress> endpoint,
        int rank,
        int of,
        Optional<Instant> since,
        int moves,
        int refused) {

    /** In one word. */
    public enum State {
        /** At the first place in the file. */
        PREFERRED,
        /** At another place in the file. */
        FALLBACK,
        /** Where it has gone by itself, outside of the file. */
        ROAMED,
        /** It does not answer anywhere. */
        LOST,
        /** It is not known where it is: it has to call us. */
        AWAITED;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
