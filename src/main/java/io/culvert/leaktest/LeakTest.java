// SPDX-License-Identifier: Apache-2.0
package io.culvert.leaktest;

import io.culvert.diagnostics.ProblemException;
import io.culvert.leaktest.LeakProbe.Purpose;
import io.culvert.leaktest.LeakTestResult.Entry;
import io.culvert.leaktest.LeakTestResult.Outcome;
import io.culvert.leaktest.ProbeObserver.Sightings;
import io.culvert.linux.Errno;
import io.culvert.linux.OneHopSocket;
import io.culvert.linux.OneHopSocket.Kind;
import io.culvert.linux.SystemCallException;
import io.culvert.net.Family;
import io.culvert.netlink.NetlinkException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Tries to send packets outside the tunnel, in the network namespace of the calling thread, and reports which of them would have
 * left. No packet reaches the network: {@link ProbeObserver} drops all of them; should it be missing, their time to live of 1 ends
 * them at the first router. Nothing is waited for.
 */
public final class LeakTest {

    /** What a rule or a missing route makes of a packet; with any other errno, the packet was not tried. */
    private static final Set<Integer> BLOCKED = Set.of(
            Errno.EPERM, Errno.EACCES, Errno.ENETUNREACH, Errno.EHOSTUNREACH, Errno.ECONNREFUSED, Errno.ENETDOWN);

    /** What rules make of a packet, the observer's among them. */
    private static final Set<Integer> DROPPED = Set.of(0, Errno.EPERM, Errno.EACCES);

    private static final int PAYLOAD_LENGTH = 16;

    /**
     * What sending returned.
     *
     * @param failedStep why the packet could not be tried; empty if it was
     * @param errno of the send; 0 if the kernel took the packet
     */
    record Attempt(Optional<String> failedStep, int errno) {

        static Attempt sent(int errno) {
            return new Attempt(
                    errno == 0 || BLOCKED.contains(errno) ? Optional.empty() : Optional.of(Errno.describe(errno)),
                    errno);
        }

        static Attempt failed(String step) {
            return new Attempt(Optional.of(step), 0);
        }
    }

    private LeakTest() {}

    /**
     * Runs the test.
     *
     * @param time of the result
     */
    public static LeakTestResult run(LeakTestInput input, Instant time) {
        List<LeakProbe> probes = ProbePlanner.of(input);
        SecureRandom random = new SecureRandom();
        List<Attempt> attempts = new ArrayList<>();
        try (ProbeObserver observer =
                ProbeObserver.start(random.nextInt(1, 0x8000), probes.size(), input.innerLinks())) {
            for (int number = 0; number < probes.size(); number++) {
                attempts.add(attempt(probes.get(number), observer.priority(number), random));
            }
            return evaluate(time, probes, attempts, observer.sightings());
        } catch (ProblemException | SystemCallException | NetlinkException e) {
            return LeakTestResult.notRun(time, String.valueOf(e.getMessage()));
        }
    }

    private static Attempt attempt(LeakProbe probe, int priority, SecureRandom random) {
        if (probe.skipped().isPresent()) {
            return Attempt.failed(probe.skipped().get());
        }
        try (OneHopSocket socket = OneHopSocket.open(probe.family(), probe.kind(), probe.egress(), priority)) {
            probe.source().ifPresent(socket::bind);
            return Attempt.sent(socket.send(probe.destination(), payload(probe, random)));
        } catch (SystemCallException e) {
            boolean ping = probe.kind() == Kind.ICMP && e.errno() == Errno.EACCES;
            return Attempt.failed(
                    ping
                            ? "net.ipv4.ping_group_range does not include this process's group"
                            : String.valueOf(e.getMessage()));
        }
    }

    /**
     * Returns an echo request (RFC 792; RFC 4443, section 4.1), or random bytes that no DNS server answers: as a DNS message they are
     * a response (RFC 1035, section 4.1.1).
     */
    private static byte[] payload(LeakProbe probe, SecureRandom random) {
        byte[] payload = new byte[PAYLOAD_LENGTH];
        random.nextBytes(payload);
        if (probe.kind() == Kind.ICMP) {
            Arrays.fill(payload, 0, 8, (byte) 0);
            payload[0] = (byte) (probe.family() == Family.IPV4 ? 8 : 128);
        } else {
            payload[2] |= (byte) 0x80;
        }
        return payload;
    }

    /** Returns what became of the probes; a pure function. */
    static LeakTestResult evaluate(Instant time, List<LeakProbe> probes, List<Attempt> attempts, Sightings sightings) {
        List<Entry> entries = new ArrayList<>();
        List<String> unproven = new ArrayList<>();
        boolean tried = false;
        for (int number = 0; number < probes.size(); number++) {
            LeakProbe probe = probes.get(number);
            Attempt attempt = attempts.get(number);
            Optional<String> notTried = attempt.failedStep();
            if (probe.purpose() == Purpose.BLOCKED) {
                tried |= notTried.isEmpty();
                Outcome outcome = sightings.outside(number)
                        ? Outcome.FAILED
                        : notTried.isPresent() ? Outcome.SKIPPED : Outcome.PASSED;
                entries.add(new Entry(probe.name(), outcome, outcome == Outcome.SKIPPED ? notTried.orElse("") : ""));
            } else if (probe.purpose() == Purpose.SEEN_INSIDE ? sightings.inside(number) : sightings.outside(number)) {
                entries.add(new Entry(probe.name(), Outcome.PASSED, ""));
            } else {
                entries.add(new Entry(probe.name(), Outcome.SKIPPED, notTried.orElse("it was not seen")));
                if (isNeeded(probe, attempt, probes, attempts)) {
                    unproven.add("failed " + probe.name());
                }
            }
        }
        if (!tried) {
            unproven.add("no packet could be sent");
        }
        return new LeakTestResult(
                time, entries, unproven.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", unproven)));
    }

    /**
     * Returns whether a control that was not seen shows that the observer may be blind: on the loopback interface where a probe of the
     * same kind was tried, on an uplink where it was not sent for another reason than a rule.
     */
    private static boolean isNeeded(
            LeakProbe control, Attempt attempt, List<LeakProbe> probes, List<Attempt> attempts) {
        if (control.purpose() == Purpose.SEEN_OUTSIDE) {
            return attempt.failedStep().isEmpty() && DROPPED.contains(attempt.errno());
        }
        for (int number = 0; number < probes.size(); number++) {
            LeakProbe probe = probes.get(number);
            if (probe.purpose() == Purpose.BLOCKED
                    && probe.family() == control.family()
                    && probe.kind() == control.kind()
                    && attempts.get(number).failedStep().isEmpty()) {
                return true;
            }
        }
        return false;
    }
}
