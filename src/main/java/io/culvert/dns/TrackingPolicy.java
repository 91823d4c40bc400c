// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.net.Host;
import io.culvert.timing.BackOff;
import java.net.InetAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/**
 * When a {@link NameTracker} resolves a name again, and which changes it reports. A name without a delay is resolved
 * again on request only.
 */
public interface TrackingPolicy {

    /**
     * For names that DNS servers are queried for: after their TTL, but at least 30 seconds and at most an hour, sooner while no
     * server responds. DNS servers rotate the addresses of a name, so another order is no change.
     */
    TrackingPolicy BY_TTL = new TrackingPolicy() {

        private static final Duration MIN_DELAY = Duration.ofSeconds(30);
        private static final Duration MAX_DELAY = Duration.ofHours(1);
        private static final BackOff RETRIES = new BackOff(Duration.ofSeconds(5), Duration.ofMinutes(5));

        @Override
        public Optional<Duration> afterSuccess(Host.Name name, Duration ttl) {
            return Optional.of(
                    ttl.compareTo(MIN_DELAY) < 0 ? MIN_DELAY : ttl.compareTo(MAX_DELAY) > 0 ? MAX_DELAY : ttl);
        }

        @Override
        public Optional<Duration> afterFailure(Host.Name name, int failures) {
            return Optional.of(RETRIES.afterFailures(failures));
        }

        @Override
        public boolean isChange(List<InetAddress> previous, List<InetAddress> current) {
            return !new HashSet<>(previous).equals(new HashSet<>(current));
        }
    };

    /** For names that are resolved again on request only. */
    TrackingPolicy ON_REQUEST = new TrackingPolicy() {

        @Override
        public Optional<Duration> afterSuccess(Host.Name name, Duration ttl) {
            return Optional.empty();
        }

        @Override
        public Optional<Duration> afterFailure(Host.Name name, int failures) {
            return Optional.empty();
        }
    };

    /** Returns the delay after a name was resolved. */
    Optional<Duration> afterSuccess(Host.Name name, Duration ttl);

    /**
     * Returns the delay after a failure.
     *
     * @param failures in a row, from 1
     */
    Optional<Duration> afterFailure(Host.Name name, int failures);

    /** Returns whether to report a name's addresses. By default, another order is a change too: it is a preference. */
    default boolean isChange(List<InetAddress> previous, List<InetAddress> current) {
        return !previous.equals(current);
    }
}
