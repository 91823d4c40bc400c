// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.rtnl.Ipv6;
import io.culvert.rtnl.Machine;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Whether a link of Culvert can carry IPv6. If it cannot, the kernel refuses IPv6 addresses, so they are left out, and
 * IPv6 is blocked.
 *
 * @param link name of the link, which need not exist yet
 */
record LinkIpv6(Ipv6 kernel, String link, Mtu mtu) {

    /** RFC 8200, section 5: a link with a smaller MTU has no IPv6 ({@code IPV6_MIN_MTU} in net/ipv6/addrconf.c). */
    private static final int MIN_MTU = 1280;

    private static final String BLOCKED = "IPv6 is blocked, not leaked";

    static LinkIpv6 of(Machine machine, String link, Mtu mtu) {
        return new LinkIpv6(machine.ipv6(), link, mtu);
    }

    boolean isSupported() {
        return kernel.isAvailableOn(link) && mtu.bytes() >= MIN_MTU;
    }

    /** Returns the prefixes that the link can carry. */
    List<Prefix> usable(List<Prefix> prefixes) {
        return prefixes.stream()
                .filter(prefix -> prefix.family() == Family.IPV4 || isSupported())
                .toList();
    }

    /** Returns why links with IPv6 addresses carry no IPv6, one problem for all links with the same reason. */
    static List<Problem> problems(List<LinkIpv6> links) {
        return links.stream()
                .filter(link -> !link.isSupported())
                .collect(Collectors.groupingBy(LinkIpv6::reason, LinkedHashMap::new, Collectors.toList()))
                .values()
                .stream()
                .map(LinkIpv6::of)
                .toList();
    }

    /** Returns why this link carries no IPv6, if one of these addresses is IPv6. */
    Optional<Problem> problem(List<Prefix> addresses) {
        return addresses.stream().anyMatch(address -> address.family() == Family.IPV6)
                ? problems(List.of(this)).stream().findFirst()
                : Optional.empty();
    }

    private String reason() {
        if (!kernel.present()) {
            return "";
        }
        if (kernel.isAvailableOn(link)) {
            return link;
        }
        return Ipv6.sysctl(kernel.newLinks().orElse(false) && kernel.isDisabledOn(link) ? link : "default")
                .replace('/', '.');
    }

    private static Problem of(List<LinkIpv6> links) {
        LinkIpv6 first = links.getFirst();
        String names = links.stream().map(LinkIpv6::link).collect(Collectors.joining(" and "));
        String reason = first.reason();
        if (reason.isEmpty()) {
            return Problem.note(
                    Location.machine("IPv6"),
                    "not supported by the kernel, so there is none on " + names + ": " + BLOCKED);
        }
        if (reason.equals(first.link)) {
            return Problem.warning(
                    Location.machine(names),
                    "its MTU is " + first.mtu.bytes() + " (" + first.mtu.origin() + "), but IPv6 requires " + MIN_MTU
                            + ": " + BLOCKED,
                    "set an MTU of " + MIN_MTU
                            + " or more if the path allows it (MTU in the file; for the tunnel of"
                            + " 'culvert up' also CULVERT_MTU), or delete the IPv6 addresses from the file");
        }
        if (first.kernel.newLinks().isEmpty()) {
            return Problem.warning(
                    Location.machine(reason),
                    "cannot be read, so it is not known whether " + names + " may have IPv6: " + BLOCKED,
                    "make /proc/sys readable, or delete the IPv6 addresses from the file");
        }
        if (reason.contains(".default.")) {
            return Problem.warning(
                    Location.machine(reason),
                    "is 1, so there is no IPv6 on " + names + ": " + BLOCKED,
                    Hints.here().enableIpv6() + "; or delete the IPv6 addresses from the file");
        }
        return Problem.warning(
                Location.machine(reason),
                "is 1, so there is no IPv6 on " + names + ": " + BLOCKED,
                "set it to 0 in this network namespace, or delete the IPv6 addresses from the file");
    }
}
