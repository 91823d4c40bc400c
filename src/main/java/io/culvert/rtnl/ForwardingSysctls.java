// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Sysctl;
import io.culvert.linux.Sysctl.WriteResult;
import io.culvert.net.Family;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Set;

/**
 * Enables IP forwarding, which an exit node needs, in the calling thread's network namespace. Only values that differ
 * are written, and closing restores them in reverse order.
 */
public final class ForwardingSysctls implements AutoCloseable {

    private static final String IPV4 = "net/ipv4/ip_forward";
    private static final String IPV6 = "net/ipv6/conf/all/forwarding";

    private final Sysctl sysctl;
    private final Deque<Map.Entry<String, String>> previousValues = new ArrayDeque<>();

    public ForwardingSysctls(Sysctl sysctl) {
        this.sysctl = sysctl;
    }

    /** Returns the name of the family's kernel parameter, as for {@code sysctl}. */
    public static String sysctl(Family family) {
        return (family == Family.IPV4 ? IPV4 : IPV6).replace('/', '.');
    }

    /** Returns the families for which forwarding is enabled. */
    public static Set<Family> read(Sysctl sysctl) {
        boolean ipv4 = sysctl.read(IPV4).filter("1"::equals).isPresent();
        boolean ipv6 = sysctl.read(IPV6).filter("1"::equals).isPresent();
        if (ipv4) {
            return ipv6 ? Set.of(Family.IPV4, Family.IPV6) : Set.of(Family.IPV4);
        }
        return ipv6 ? Set.of(Family.IPV6) : Set.of();
    }

    /**
     * Enables forwarding.
     *
     * @param uplinks names of links whose IPv6 default route may come from router advertisements: the kernel drops it
     *     when forwarding is enabled, unless {@code accept_ra} is 2 (Documentation/networking/ip-sysctl.rst)
     * @throws ProblemException if it is disabled and cannot be enabled; then nothing is changed
     */
    public void enable(Set<Family> families, Set<String> uplinks) {
        try {
            if (families.contains(Family.IPV4)) {
                set(IPV4, "1");
            }
            if (families.contains(Family.IPV6)) {
                for (String uplink : uplinks) {
                    String advertisements = "net/ipv6/conf/" + uplink + "/accept_ra";
                    if (!hasValue(IPV6, "1") && hasValue(advertisements, "1")) {
                        set(advertisements, "2");
                    }
                }
                set(IPV6, "1");
            }
        } catch (ProblemException e) {
            close();
            throw e;
        }
    }

    private boolean hasValue(String name, String value) {
        return sysctl.read(name).filter(value::equals).isPresent();
    }

    private void set(String name, String value) {
        String before = sysctl.read(name).orElse("");
        if (before.equals(value)) {
            return;
        }
        WriteResult written = sysctl.write(name, value);
        if (written == WriteResult.DONE && hasValue(name, value)) {
            previousValues.push(Map.entry(name, before));
            return;
        }
        throw new ProblemException(problem(name, value, written));
    }

    private static Problem problem(String name, String value, WriteResult written) {
        String dotted = name.replace('/', '.');
        String reason = switch (written) {
            case ABSENT -> "does not exist in this kernel";
            case READ_ONLY -> "is read-only here";
            case DENIED -> "cannot be changed by this process";
            case REFUSED, DONE -> "does not accept the value";
        };
        return Problem.machine(
                Location.machine(dotted),
                "must be " + value + ", but " + reason,
                Hints.here().sysctl(dotted, value));
    }

    /**
     * Restores the previous values. Values that cannot be written stay, as the namespace usually ends with the program.
     */
    @Override
    public void close() {
        while (!previousValues.isEmpty()) {
            Map.Entry<String, String> entry = previousValues.pop();
            sysctl.write(entry.getKey(), entry.getValue());
        }
    }
}
