// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** Throughput and round trip of the last hour and of the last day, in a bounded number of samples. */
final class History {

    static final Duration INTERVAL = Duration.ofSeconds(10);

    private static final int HOUR = 360;
    private static final int DAY = 288;

    /** How many samples of the hour are one of the day: five minutes. */
    private static final int PER_LONG_SAMPLE = 30;

    /**
     * A sample.
     *
     * @param receivedRate bytes per second since the sample before
     * @param sentRate bytes per second since the sample before
     * @param roundTripMillis 0 if it is not known
     */
    record Point(Instant time, double receivedRate, double sentRate, double roundTripMillis) {}

    private record Counters(Instant time, long received, long sent) {}

    private final Deque<Point> hour = new ArrayDeque<>();
    private final Deque<Point> day = new ArrayDeque<>();
    private Optional<Counters> last = Optional.empty();
    private int samples;

    /** Adds a sample. Where the counters start again, as with another server, the rate begins at zero. */
    synchronized void add(Instant time, ExitNodeFigures figures) {
        Counters now = new Counters(
                time, figures.status().receivedBytes(), figures.status().sentBytes());
        Optional<Counters> before = last;
        last = Optional.of(now);
        if (before.isEmpty()) {
            return;
        }
        double seconds = Math.max(1, Duration.between(before.get().time(), time).toMillis()) / 1000.0;
        append(
                hour,
                HOUR,
                new Point(
                        time,
                        Math.max(0, now.received() - before.get().received()) / seconds,
                        Math.max(0, now.sent() - before.get().sent()) / seconds,
                        figures.roundTrip().map(trip -> trip.toNanos() / 1e6).orElse(0.0)));
        samples++;
        if (samples % PER_LONG_SAMPLE == 0) {
            append(
                    day,
                    DAY,
                    mean(new ArrayList<>(hour).subList(Math.max(0, hour.size() - PER_LONG_SAMPLE), hour.size())));
        }
    }

    private static void append(Deque<Point> points, int capacity, Point point) {
        points.addLast(point);
        if (points.size() > capacity) {
            points.removeFirst();
        }
    }

    private static Point mean(List<Point> points) {
        return new Point(
                points.getLast().time(),
                points.stream().mapToDouble(Point::receivedRate).average().orElse(0),
                points.stream().mapToDouble(Point::sentRate).average().orElse(0),
                points.stream().mapToDouble(Point::roundTripMillis).average().orElse(0));
    }

    synchronized List<Point> lastHour() {
        return List.copyOf(hour);
    }

    synchronized List<Point> lastDay() {
        return List.copyOf(day);
    }
}
