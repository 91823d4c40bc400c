package io.culvert.network;

import io.culvert.linux.Errno;
import io.culvert.netlink.NetlinkSocket.Outcome;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import java.util.ArrayList;
import java.util.List;

/**
 * A request that the kernel refused, for people.
 *
 * @param text what was asked, in the syntax of iproute2
 */
record Refusal(String text, Outcome outcome) {

    /** Nobody reads more than this; the rest is counted. */
    private static final int MOST = 20;

    static List<Problem> problems(List<Refusal> refusals) {
        if (refusals.stream().allMatch(refusal -> refusal.outcome.errno() == Errno.EPERM)) {
            return List.of(Problem.machine(
                    Place.machine("CAP_NET_ADMIN"),
                    "the kernel does not let us change the network: " + Errno.text(Errno.EPERM),
                    Hints.here().netAdmin()));
        }
        List<Problem> problems = new ArrayList<>(
                refusals.stream().limit(MOST).map(Refusal::problem).toList());
        if (refusals.size() > MOST) {
            problems.add(Problem.failure(
                    Place.machine("kernel"), "refused " + (refusals.size() - MOST) + " more of the same call", ""));
        }
        return problems;
    }

    private Problem problem() {
        String reason = Errno.text(outcome.errno()) + (outcome.message().isEmpty() ? "" : ": " + outcome.message());
        return Problem.failure(Place.machine("kernel"), "refused '" + text + "': " + reason, cure());
    }

    private String cure() {
        return switch (outcome.errno()) {
            case Errno.EEXIST -> existing();
            case Errno.EACCES ->
                outcome.message().contains("IPv6")
                        ? "IPv6 is switched off here: " + Hints.here().sysctl("net.ipv6.conf.all.disable_ipv6", "0")
                                + "; or take the IPv6 addresses out of the WireGuard file"
                        : "";
            case Errno.EAFNOSUPPORT -> "This kernel lacks the address family: take its addresses out of the file.";
            default -> "";
        };
    }

    /** What is there need not be another tunnel's: a connected network has routes, too. */
    private String existing() {
        String listed = text.startsWith("ip -6") ? "ip -6" : "ip -4";
        if (text.contains(" route ")) {
            return "A route to the same prefix is there already and is not ours: find it with '" + listed
                    + " route show table all', then remove it, or take the prefix out of AllowedIPs.";
        }
        if (text.contains(" address ")) {
            return "The address is there already and is not ours: find it with 'ip address', then remove it, or take it out"
                    + " of the file.";
        }
        return "Something that is not ours is in its place: find it with '" + listed + " rule' or 'ip link'.";
    }
}
