// SPDX-License-Identifier: Apache-2.0
package io.culvert.leaktest;

import io.culvert.leaktest.LeakProbe.Purpose;
import io.culvert.linux.Egress;
import io.culvert.linux.OneHopSocket.Kind;
import io.culvert.net.Family;
import io.culvert.net.Marks;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.rtnl.Uplink;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Plans the packets of a leak test. Each is one that must not leave by an uplink, whatever the settings are, except what they
 * allow, which is skipped; the positive controls come last. It is a pure function.
 */
final class ProbePlanner {

    /** Documentation addresses, which no host has (RFC 5737, RFC 3849). */
    private static final List<InetAddress> DOCUMENTATION = Stream.of(
                    "198.51.100.1", "203.0.113.1", "192.0.2.1", "2001:db8::1", "3fff::1")
            .map(Prefix::parseAddress)
            .toList();

    /** Discard (RFC 863). */
    private static final int DISCARD = 9;

    /** Multicast DNS (RFC 6762). */
    private static final int MULTICAST_DNS = 5353;

    private static final InetAddress MULTICAST_IPV4 = Prefix.parseAddress("224.0.0.251");
    private static final InetAddress MULTICAST_IPV6 = Prefix.parseAddress("ff02::fb");
    private static final InetAddress BROADCAST = Prefix.parseAddress("255.255.255.255");

    /** The group of all DHCPv6 servers (RFC 8415, section 7.1). */
    private static final InetAddress DHCP_SERVERS_IPV6 = Prefix.parseAddress("ff02::1:2");

    /** More links are not tested, so that a machine with hundreds of containers is tested in milliseconds too. */
    private static final int MAX_LINKS = 8;

    /** How a packet is sent, and how that is shown after its destination. */
    private record Sender(String description, Egress egress, Optional<InetSocketAddress> source) {

        static final Sender PLAIN = new Sender("", Egress.ANY, Optional.empty());

        static Sender boundTo(String link) {
            return new Sender(", bound to " + link, Egress.ANY.boundTo(link), Optional.empty());
        }

        static Sender from(InetAddress source) {
            return new Sender(
                    ", from " + Prefix.text(source), Egress.ANY, Optional.of(new InetSocketAddress(source, 0)));
        }

        static Sender marked(String description, long mark) {
            return new Sender(", with the mark of " + description, Egress.marked(mark), Optional.empty());
        }
    }

    private final LeakTestInput input;
    private final Family family;
    private final List<LeakProbe> probes = new ArrayList<>();

    private ProbePlanner(LeakTestInput input, Family family) {
        this.input = input;
        this.family = family;
    }

    static List<LeakProbe> of(LeakTestInput input) {
        List<LeakProbe> all = new ArrayList<>();
        for (Family family : Family.values()) {
            ProbePlanner probes = new ProbePlanner(input, family);
            Optional<Uplink> uplink = Optional.ofNullable(input.uplinks().get(family));
            uplink.ifPresentOrElse(probes::addAll, probes::addMissingUplink);
            all.addAll(probes.probes);
        }
        return List.copyOf(all);
    }

    private void addMissingUplink() {
        probes.add(new LeakProbe(
                Purpose.BLOCKED,
                "all " + family.text(),
                family,
                Kind.UDP,
                Egress.ANY,
                Optional.empty(),
                documentation(),
                Optional.of("this machine has no " + family.text() + " uplink")));
    }

    private void addAll(Uplink uplink) {
        List<String> links = input.links().getOrDefault(family, List.of()).stream()
                .filter(link -> !link.equals(uplink.link()))
                .limit(MAX_LINKS - 1L)
                .toList();
        links = Stream.concat(Stream.of(uplink.link()), links.stream()).toList();
        Sender marked = Sender.marked("the tunnel", input.marks().tunnel());
        List<Sender> senders = new ArrayList<>(List.of(Sender.PLAIN, marked));
        links.forEach(link -> senders.add(Sender.boundTo(link)));
        uplink.addresses().stream()
                .limit(1)
                .map(Prefix::address)
                .map(Sender::from)
                .forEach(senders::add);
        senders.forEach(sender -> addEachKind(documentation(), sender));
        addServer(List.of(marked, Sender.boundTo(uplink.link())));
        addDns(List.of(Sender.PLAIN, Sender.boundTo(uplink.link()), Sender.marked("Tailscale", Marks.TAILSCALE)));
        links.forEach(this::addMulticast);
        addControls(uplink.link());
    }

    private void addEachKind(InetSocketAddress destination, Sender sender) {
        for (Kind kind : Kind.values()) {
            add(kind, destination, sender);
        }
    }

    /** Adds other ports of the server, and its own port from another socket than the tunnel's. */
    private void addServer(List<Sender> senders) {
        input.servers(family).stream().findFirst().ifPresent(server -> {
            for (Sender sender : senders) {
                addEachKind(otherPort(server), sender);
                add(Kind.UDP, server, sender);
            }
        });
    }

    private InetSocketAddress otherPort(InetSocketAddress server) {
        int port = server.getPort();
        do {
            port = port % 65535 + 1;
        } while (input.servers().contains(new InetSocketAddress(server.getAddress(), port)));
        return new InetSocketAddress(server.getAddress(), port);
    }

    private void addDns(List<Sender> senders) {
        for (Sender sender : senders) {
            for (int port : LeakTestInput.DNS_PORTS) {
                InetSocketAddress resolver = new InetSocketAddress(resolver(), port);
                add(Kind.UDP, resolver, sender);
                add(Kind.TCP, resolver, sender);
            }
        }
    }

    /**
     * Returns the container's own DNS server. A gateway would do as well, but its address may be a link-local one, which needs a
     * link.
     */
    private InetAddress resolver() {
        return input.resolvers().stream()
                .filter(resolver -> Family.of(resolver) == family)
                .filter(resolver -> !resolver.isLoopbackAddress() && !resolver.isLinkLocalAddress())
                .findFirst()
                .orElse(documentation().getAddress());
    }

    private void addMulticast(String link) {
        Sender sender = Sender.boundTo(link);
        if (family == Family.IPV4) {
            add(Kind.UDP, new InetSocketAddress(MULTICAST_IPV4, MULTICAST_DNS), sender);
            add(Kind.UDP, new InetSocketAddress(BROADCAST, DISCARD), sender);
        } else {
            add(Kind.UDP, new InetSocketAddress(MULTICAST_IPV6, MULTICAST_DNS), sender);
        }
    }

    /**
     * Adds the positive controls: each kind of packet on the loopback interface, and on the uplink a packet with the addresses and
     * ports of a DHCP request, the only one that the kill switch always allows there and that another program can send.
     */
    private void addControls(String uplink) {
        for (Kind kind : Kind.values()) {
            InetAddress loopback = InetAddress.ofLiteral(family == Family.IPV4 ? "127.0.0.1" : "::1");
            probes.add(new LeakProbe(
                    Purpose.SEEN_INSIDE,
                    "control: " + family.text() + " " + name(kind) + " is seen on lo",
                    family,
                    kind,
                    Egress.ANY,
                    Optional.empty(),
                    new InetSocketAddress(loopback, kind == Kind.ICMP ? 0 : DISCARD),
                    Optional.empty()));
        }
        boolean v4 = family == Family.IPV4;
        InetAddress any = InetAddress.ofLiteral(v4 ? "0.0.0.0" : "::");
        probes.add(new LeakProbe(
                Purpose.SEEN_OUTSIDE,
                "control: " + (v4 ? "a DHCP" : "a DHCPv6") + " request is seen on " + uplink,
                family,
                Kind.UDP,
                Egress.ANY.boundTo(uplink),
                Optional.of(new InetSocketAddress(any, v4 ? 68 : 546)),
                new InetSocketAddress(v4 ? BROADCAST : DHCP_SERVERS_IPV6, v4 ? 67 : 547),
                Optional.empty()));
    }

    /** Returns a documentation address that the settings do not allow, if there is one. */
    private InetSocketAddress documentation() {
        List<InetSocketAddress> candidates = DOCUMENTATION.stream()
                .filter(address -> Family.of(address) == family)
                .map(address -> new InetSocketAddress(address, DISCARD))
                .toList();
        return candidates.stream()
                .filter(address -> Stream.of(Kind.values())
                        .noneMatch(
                                kind -> input.allowing(address, transport(kind)).isPresent()))
                .findFirst()
                .orElse(candidates.getFirst());
    }

    private void add(Kind kind, InetSocketAddress destination, Sender sender) {
        String port = kind == Kind.ICMP ? "" : " port " + destination.getPort();
        LeakProbe probe = new LeakProbe(
                Purpose.BLOCKED,
                family.text() + " " + name(kind) + " to " + Prefix.text(destination.getAddress()) + port
                        + sender.description(),
                family,
                kind,
                sender.egress(),
                sender.source(),
                destination,
                Optional.empty());
        probes.add(input.allowing(destination, transport(kind))
                .map(setting -> probe.skippedBecause("the settings allow " + setting))
                .orElse(probe));
    }

    private static Optional<Transport> transport(Kind kind) {
        return switch (kind) {
            case UDP -> Optional.of(Transport.UDP);
            case TCP -> Optional.of(Transport.TCP);
            case ICMP -> Optional.empty();
        };
    }

    private static String name(Kind kind) {
        return kind == Kind.ICMP ? "ICMP echo" : kind.toString();
    }
}
