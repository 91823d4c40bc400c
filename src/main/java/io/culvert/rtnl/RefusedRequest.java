// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.linux.Errno;
import io.culvert.netlink.NetlinkSocket.Outcome;
import java.util.ArrayList;
import java.util.List;

/**
 * A request that the kernel refused, to be reported.
 *
 * @param text the request in the syntax of iproute2
 */
record RefusedRequest(String text, Outcome outcome) {

    /** The maximum number of refusals reported; the others are counted. */
    private static final int MAX_REPORTED = 20;

    static List<Problem> problems(List<RefusedRequest> refusals) {
        if (refusals.stream().allMatch(refusal -> refusal.outcome.errno() == Errno.EPERM)) {
            return List.of(Problem.missingNetAdmin());
        }
        List<Problem> problems = new ArrayList<>(refusals.stream()
                .limit(MAX_REPORTED)
                .map(RefusedRequest::problem)
                .toList());
        if (refusals.size() > MAX_REPORTED) {
            problems.add(Problem.failure(
                    Location.machine("kernel"), "refused " + (refusals.size() - MAX_REPORTED) + " more requests", ""));
        }
        return problems;
    }

    private Problem problem() {
        String reason = Errno.describe(outcome.errno()) + (outcome.message().isEmpty() ? "" : ": " + outcome.message());
        return Problem.failure(Location.machine("kernel"), "refused '" + text + "': " + reason, hint());
    }

    private String hint() {
        return switch (outcome.errno()) {
            case Errno.EEXIST -> existingObjectHint();
            case Errno.EACCES ->
                outcome.message().contains("IPv6")
                        ? "enable IPv6 (" + Hints.here().sysctl("net.ipv6.conf.all.disable_ipv6", "0")
                                + "), or delete the IPv6 addresses from the WireGuard file"
                        : "";
            case Errno.EAFNOSUPPORT ->
                "delete the addresses of this family from the file, because the kernel does" + " not support it";
            default -> "";
        };
    }

    /**
     * Returns the hint for an object that exists already. It may belong to another tunnel, but also to a connected
     * network, which has routes, too.
     */
    private String existingObjectHint() {
        String listed = text.startsWith("ip -6") ? "ip -6" : "ip -4";
        if (text.contains(" route ")) {
            return "find the other route to this prefix with '" + listed
                    + " route show table all', and remove it, or delete the prefix from AllowedIPs";
        }
        if (text.contains(" address ")) {
            return "find the interface that has this address with 'ip address', and remove it there, or delete it"
                    + " from the file";
        }
        return "find the conflicting object of another program with '" + listed + " rule' or 'ip link'";
    }
}
