// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.linux.AddressFamily;
import io.culvert.linux.Capabilities;
import io.culvert.linux.Descriptor;
import io.culvert.linux.Sysctl;
import io.culvert.linux.SystemCallException;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.netlink.GenericNetlink;
import io.culvert.netlink.NetlinkSocket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Reads the state of the machine or container, in the calling thread's network namespace, without changing anything.
 */
public final class MachineReader {

    /** The firewall mark of Culvert's tunnels: packets without it would be routed into a tunnel that is up. */
    private static final long TUNNEL_MARK = 0x51000000L;

    /** Kinds of links that other tunnel programs' rules route to. */
    private static final Set<String> TUNNEL_KINDS = Set.of("tun", "wireguard");

    /** Addresses that only a default route reaches; nothing is sent to them. */
    private static final Map<Family, InetAddress> PUBLIC_ADDRESSES = Map.of(
            Family.IPV4, Prefix.parseAddress("1.1.1.1"), Family.IPV6, Prefix.parseAddress("2606:4700:4700::1111"));

    private final NetlinkSocket route;
    private final NetlinkSocket generic;
    private final Path root;
    private final Sysctl sysctl;

    /**
     * @param route for rtnetlink
     * @param generic for generic netlink
     * @param root of the file system, usually {@code /}
     */
    public MachineReader(NetlinkSocket route, NetlinkSocket generic, Path root) {
        this.route = route;
        this.generic = generic;
        this.root = root;
        this.sysctl = new Sysctl(root.resolve("proc/sys"));
    }

    public Machine read() {
        List<KernelLink> links = KernelSnapshot.read(route, KernelLink.list(), KernelLink::decode);
        List<KernelAddress> addresses = KernelSnapshot.read(route, KernelAddress.list(), KernelAddress::decode);
        List<KernelRoute> main =
                KernelSnapshot.read(route, KernelRoute.listTable(Route.MAIN), KernelRoute::decode).stream()
                        .filter(it -> it.table() == Route.MAIN && it.type() == KernelRoute.RTN_UNICAST)
                        .toList();
        // A tunnel of an earlier run is not an uplink.
        Map<Integer, KernelLink> foreign = links.stream()
                .filter(link -> !link.isOurs())
                .collect(Collectors.toMap(KernelLink::index, link -> link));
        Map<Family, Uplink> uplinks = new EnumMap<>(Family.class);
        List<MainRoute> routes = new ArrayList<>(routes(main, foreign));
        for (Family family : Family.values()) {
            Optional<Uplink> fromMainTable = uplink(family, main, foreign, addresses);
            Optional<Uplink> byLookup =
                    fromMainTable.isPresent() ? Optional.empty() : byLookup(family, foreign, addresses);
            fromMainTable.or(() -> byLookup).ifPresent(uplink -> uplinks.put(family, uplink));
            byLookup.ifPresent(uplink ->
                    routes.add(new MainRoute(Prefix.all(family), uplink.link(), uplink.gateway(), Long.MAX_VALUE)));
        }
        List<LinkAddress> foreignAddresses = foreignAddresses(foreign, addresses);
        return Machine.of(uplinks, new MainTable(routes, foreignAddresses), it -> {
            it.connected = connectedNetworks(main, foreign, addresses);
            it.links = links.stream().map(KernelLink::name).collect(Collectors.toSet());
            it.connectedLinks = foreign.values().stream()
                    .filter(KernelLink::carrier)
                    .map(KernelLink::name)
                    .collect(Collectors.toSet());
            it.ipv6 = ipv6(links, addresses);
            it.strictReversePath = strictReversePath(foreignAddresses);
            it.forwarding = ForwardingSysctls.read(sysctl);
            it.writableSysctl = sysctl.isWritable("net/ipv4/ip_forward");
            it.netAdmin = capabilities().has(Capabilities.NET_ADMIN);
            it.tunDevice = canOpen(root.resolve("dev/net/tun"));
            it.kernelWireGuard =
                    new GenericNetlink(generic).findFamily("wireguard").isPresent();
        });
    }

    /**
     * Returns the IPv6 address of a link without an IPv6 route, because the kernel forwards IPv6 and then ignores
     * router advertisements, unless {@code accept_ra} is 2 (Documentation/networking/ip-sysctl.rst). That happens in
     * slirp4netns, the network of rootless Podman, with IPv6 forwarding: the address is assigned before, and the route
     * is removed.
     *
     * @param machine as it was read; the result is empty if its IPv6 has an uplink
     */
    public Optional<LinkAddress> findUnroutedIpv6Address(Machine machine) {
        if (machine.uplinks().containsKey(Family.IPV6) || !machine.forwarding().contains(Family.IPV6)) {
            return Optional.empty();
        }
        Map<Integer, String> withoutAdvertisements =
                KernelSnapshot.read(route, KernelLink.list(), KernelLink::decode).stream()
                        .filter(link -> !link.isOurs() && !link.name().equals("lo"))
                        .filter(link -> sysctl.read("net/ipv6/conf/" + link.name() + "/accept_ra")
                                .filter("1"::equals)
                                .isPresent())
                        .collect(Collectors.toMap(KernelLink::index, KernelLink::name));
        return KernelSnapshot.read(route, KernelAddress.list(), KernelAddress::decode).stream()
                .filter(it -> it.global() && it.address().family() == Family.IPV6)
                .flatMap(it -> Optional.ofNullable(withoutAdvertisements.get(it.link()))
                        .map(name -> new LinkAddress(name, it.address()))
                        .stream())
                .findFirst();
    }

    /**
     * Returns the uplink: the default route with the lowest metric, else the widest route with a gateway; of a
     * multipath route, the first usable hop.
     */
    private static Optional<Uplink> uplink(
            Family family, List<KernelRoute> main, Map<Integer, KernelLink> foreign, List<KernelAddress> addresses) {
        return main.stream()
                .filter(it -> it.destination().family() == family)
                .sorted(Comparator.comparingInt(
                                (KernelRoute it) -> it.destination().length())
                        .thenComparingLong(KernelRoute::metric))
                .flatMap(it -> it.hops().stream()
                        .filter(hop ->
                                it.destination().isDefault() || hop.gateway().isPresent())
                        .filter(hop -> foreign.containsKey(hop.link()))
                        .map(hop -> new Candidate(it.destination().isDefault(), hop, it.mtu())))
                // A hop without a carrier counts only if there is no other.
                .min(Comparator.comparing((Candidate it) -> !it.isDefault())
                        .thenComparing(it -> !it.hop().isUsable()))
                .flatMap(it -> uplink(family, it.hop().link(), it.hop().gateway(), it.mtu(), foreign, addresses));
    }

    /** Returns the uplink by a route lookup: if the main table has no route, rules may lead to another table. */
    private Optional<Uplink> byLookup(Family family, Map<Integer, KernelLink> foreign, List<KernelAddress> addresses) {
        return new RouteLookup(route)
                .hop(Objects.requireNonNull(PUBLIC_ADDRESSES.get(family)), TUNNEL_MARK)
                .filter(hop -> Optional.ofNullable(foreign.get(hop.link()))
                        .filter(link -> !TUNNEL_KINDS.contains(link.kind()))
                        .isPresent())
                .flatMap(hop -> uplink(family, hop.link(), hop.gateway(), 0, foreign, addresses));
    }

    private static Optional<Uplink> uplink(
            Family family,
            int index,
            Optional<InetAddress> gateway,
            int mtu,
            Map<Integer, KernelLink> foreign,
            List<KernelAddress> addresses) {
        return Optional.ofNullable(foreign.get(index))
                .map(link -> new Uplink(
                        link.name(),
                        gateway,
                        addresses.stream()
                                .filter(it -> it.link() == link.index() && it.global())
                                .map(KernelAddress::address)
                                .filter(address -> address.family() == family)
                                .toList(),
                        mtu == 0 ? link.mtu() : Math.min(mtu, link.mtu())));
    }

    /**
     * @param isDefault whether it is of a default route
     * @param mtu the limit of the route in bytes; 0 for none
     */
    private record Candidate(boolean isDefault, KernelRoute.Hop hop, int mtu) {}

    private static List<MainRoute> routes(List<KernelRoute> main, Map<Integer, KernelLink> foreign) {
        return main.stream()
                .flatMap(it -> it.hops().stream()
                        .flatMap(hop -> Optional.ofNullable(foreign.get(hop.link()))
                                .map(link -> new MainRoute(it.destination(), link.name(), hop.gateway(), it.metric()))
                                .stream()))
                .distinct()
                .toList();
    }

    /** Returns the addresses by which this machine is reached. */
    private static List<LinkAddress> foreignAddresses(Map<Integer, KernelLink> foreign, List<KernelAddress> addresses) {
        return addresses.stream()
                .filter(KernelAddress::global)
                .flatMap(it -> Optional.ofNullable(foreign.get(it.link()))
                        .filter(link -> !link.name().equals("lo"))
                        .map(link -> new LinkAddress(link.name(), it.address()))
                        .stream())
                .distinct()
                .toList();
    }

    /**
     * Returns the on-link routes that an address of their link confirms: a route without a gateway that a foreign DHCP
     * server pushes does not make a network local. A network of one address, such as Tailscale's in IPv6, is this
     * machine itself.
     */
    private static List<Prefix> connectedNetworks(
            List<KernelRoute> main, Map<Integer, KernelLink> foreign, List<KernelAddress> addresses) {
        record Subnet(int link, Prefix prefix) {}
        Set<Subnet> confirmed = addresses.stream()
                .map(it -> new Subnet(it.link(), it.address().network()))
                .filter(subnet -> !subnet.prefix().isHost())
                .collect(Collectors.toSet());
        return main.stream()
                .flatMap(it -> it.hops().stream()
                        .filter(hop -> hop.gateway().isEmpty() && foreign.containsKey(hop.link()))
                        .filter(hop -> confirmed.contains(new Subnet(hop.link(), it.destination())))
                        .map(_ -> it.destination()))
                .collect(Collectors.toCollection(LinkedHashSet::new))
                .stream()
                .toList();
    }

    private Ipv6 ipv6(List<KernelLink> links, List<KernelAddress> addresses) {
        if (!AddressFamily.isSupported(Family.IPV6)) {
            return Ipv6.ABSENT;
        }
        Map<String, Boolean> switches = new HashMap<>();
        links.forEach(link -> enabled(link.name()).ifPresent(on -> switches.put(link.name(), on)));
        boolean enabledElsewhere = links.stream()
                .filter(link -> !link.isOurs() && !link.name().equals("lo"))
                .anyMatch(link -> switches.getOrDefault(link.name(), false));
        return new Ipv6(
                true,
                enabled("default"),
                switches,
                enabledElsewhere && sysctl.isWritable(Ipv6.sysctl("default")),
                addresses.stream()
                        .map(KernelAddress::address)
                        .anyMatch(loopback -> loopback.family() == Family.IPV6
                                && loopback.address().isLoopbackAddress()));
    }

    /** Returns whether IPv6 is enabled on a link; empty if this cannot be read, or the link never had it. */
    private Optional<Boolean> enabled(String link) {
        return sysctl.read(Ipv6.sysctl(link)).map("0"::equals);
    }

    private boolean strictReversePath(List<LinkAddress> addresses) {
        return addresses.stream()
                .filter(it -> it.address().family() == Family.IPV4)
                .map(LinkAddress::link)
                .distinct()
                .anyMatch(link -> Math.max(reversePathFilter("all"), reversePathFilter(link)) == 1);
    }

    private int reversePathFilter(String link) {
        return sysctl.read("net/ipv4/conf/" + link + "/rp_filter")
                .filter(value -> value.matches("[0-2]"))
                .map(Integer::parseInt)
                .orElse(0);
    }

    private Capabilities capabilities() {
        try {
            return Capabilities.read(root.resolve("proc"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean canOpen(Path device) {
        try (Descriptor _ = Descriptor.open(device, Descriptor.Access.READ_WRITE)) {
            return true;
        } catch (SystemCallException _) {
            return false;
        }
    }
}
