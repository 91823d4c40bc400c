package io.culvert.plan;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.network.Ipv6;
import io.culvert.network.Machine;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Whether a link of ours can carry IPv6; the kernel refuses its addresses where it cannot, so they are left out, and what they
 * would have carried is closed.
 *
 * @param link which need not be there yet
 */
record LinkIpv6(Ipv6 kernel, String link, Mtu mtu) {

    /** RFC 8200, section 5; a link with less has no IPv6 ({@code IPV6_MIN_MTU} in net/ipv6/addrconf.c). */
    private static final int LEAST_MTU = 1280;

    private static final String CLOSED = "IPv6 is closed, not leaked";

    static LinkIpv6 of(Machine machine, String link, Mtu mtu) {
        return new LinkIpv6(machine.ipv6(), link, mtu);
    }

    boolean isCarried() {
        return kernel.on(link) && mtu.bytes() >= LEAST_MTU;
    }

    /** Those of the prefixes that it can carry. */
    List<Prefix> usable(List<Prefix> prefixes) {
        return prefixes.stream()
                .filter(prefix -> prefix.family() == Family.IPV4 || isCarried())
                .toList();
    }

    /** What keeps IPv6 from links that have addresses of it, said once for all of them. */
    static List<Problem> problems(List<LinkIpv6> links) {
        return links.stream()
                .filter(link -> !link.isCarried())
                .collect(Collectors.groupingBy(LinkIpv6::reason, LinkedHashMap::new, Collectors.toList()))
                .values()
                .stream()
                .map(LinkIpv6::of)
                .toList();
    }

    /** What keeps IPv6 from this link, where one of these addresses is of it. */
    Optional<Problem> problem(List<Prefix> own) {
        return own.stream().anyMatch(address -> address.family() == Family.IPV6)
                ? problems(List.of(this)).stream().findFirst()
                : Optional.empty();
    }

    private String reason() {
        if (!kernel.present()) {
            return "";
        }
        if (kernel.on(link)) {
            return link;
        }
        return Ipv6.sysctl(kernel.newLinks() && kernel.isOffOn(link) ? link : "default")
                .replace('/', '.');
    }

    private static Problem of(List<LinkIpv6> links) {
        LinkIpv6 first = links.getFirst();
        String names = links.stream().map(LinkIpv6::link).collect(Collectors.joining(" and "));
        String reason = first.reason();
        if (reason.isEmpty()) {
            return Problem.note(Place.machine("IPv6"), "the kernel has none, so " + names + " carries none: " + CLOSED);
        }
        if (reason.equals(first.link)) {
            return Problem.warning(
                    Place.machine(names),
                    "its MTU is " + first.mtu.bytes() + " (" + first.mtu.origin() + ") and IPv6 needs " + LEAST_MTU
                            + ": " + CLOSED,
                    "set an MTU of " + LEAST_MTU
                            + " or more where the path carries it (MTU in the file; for the tunnel of"
                            + " 'culvert up' also CULVERT_MTU), or delete the IPv6 addresses from the file");
        }
        if (reason.contains(".default.")) {
            return Problem.warning(
                    Place.machine(reason),
                    "is 1, so " + names + " carries no IPv6: " + CLOSED,
                    Hints.here().ipv6OfNewLinks() + "; or delete the IPv6 addresses from the file");
        }
        return Problem.warning(
                Place.machine(reason),
                "is 1, so " + names + " carries no IPv6: " + CLOSED,
                "set it to 0 in this network namespace, or delete the IPv6 addresses from the file");
    }
}
