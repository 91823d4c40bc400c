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
 * Whether a link of ours can carry IPv6. If it cannot, the kernel refuses IPv6 addresses, so they are left out, and IPv6 is
 * blocked.
 *
 * @param link name of the link, which need not exist yet
 */
record LinkIpv6(Ipv6 kernel, String link, Mtu mtu) {

    /** RFC 8200, section 5: a link with a smaller MTU has no IPv6 ({@code IPV6_MIN_MTU} in net/ipv6/addrconf.c). */
    private static final int LEAST_MTU = 1280;

    private static final String CLOSED = "IPv6 is blocked, not leaked";

    static LinkIpv6 of(Machine machine, String link, Mtu mtu) {
        return new LinkIpv6(machine.ipv6(), link, mtu);
    }

    boolean isCarried() {
        return kernel.on(link) && mtu.bytes() >= LEAST_MTU;
    }

    /** Returns the prefixes that the link can carry. */
    List<Prefix> usable(List<Prefix> prefixes) {
        return prefixes.stream()
                .filter(prefix -> prefix.family() == Family.IPV4 || isCarried())
                .toList();
    }

    /** Returns why links with IPv6 addresses carry no IPv6, one problem for all links with the same reason. */
    static List<Problem> problems(List<LinkIpv6> links) {
        return links.stream()
                .filter(link -> !link.isCarried())
                .collect(Collectors.groupingBy(LinkIpv6::reason, LinkedHashMap::new, Collectors.toList()))
                .values()
                .stream()
                .map(LinkIpv6::of)
                .toList();
    }

    /** Returns why this link carries no IPv6, if one of these addresses is IPv6. */
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
            return Problem.note(
                    Place.machine("IPv6"), "not supported by the kernel, so there is none on " + names + ": " + CLOSED);
        }
        if (reason.equals(first.link)) {
            return Problem.warning(
                    Place.machine(names),
                    "its MTU is " + first.mtu.bytes() + " (" + first.mtu.origin() + "), but IPv6 requires " + LEAST_MTU
                            + ": " + CLOSED,
                    "set an MTU of " + LEAST_MTU
                            + " or more if the path allows it (MTU in the file; for the tunnel of"
                            + " 'culvert up' also CULVERT_MTU), or delete the IPv6 addresses from the file");
        }
        if (reason.contains(".default.")) {
            return Problem.warning(
                    Place.machine(reason),
                    "is 1, so there is no IPv6 on " + names + ": " + CLOSED,
                    Hints.here().ipv6OfNewLinks() + "; or delete the IPv6 addresses from the file");
        }
        return Problem.warning(
                Place.machine(reason),
                "is 1, so there is no IPv6 on " + names + ": " + CLOSED,
                "set it to 0 in this network namespace, or delete the IPv6 addresses from the file");
    }
}
