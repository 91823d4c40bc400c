// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.audit.TrafficPattern.Direction;
import io.culvert.net.Bypass;
import io.culvert.net.Endpoint;
import io.culvert.net.Family;
import io.culvert.net.Marks;
import io.culvert.net.MaskedMark;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import io.culvert.net.Transport;
import io.culvert.rtnl.LinkAddress;
import io.culvert.settings.BypassEntry;
import io.culvert.settings.TailscaleSettings;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Computes what a node promises from its settings, independently of the plan and of the rules that implement it. */
final class NodePromise {

    private static final int DNS = 53;

    /** DNS over TLS and over QUIC (RFC 7858, RFC 9250). */
    private static final int DNS_ENCRYPTED = 853;

    private static final int HTTPS = 443;
    private static final int TCP = Transport.TCP.number();
    private static final int UDP = Transport.UDP.number();

    /** The private ranges of which connected networks count as local (docs/settings.md, CULVERT_LAN_ALLOW). */
    private static final List<Prefix> PRIVATE = SpecialRange.prefixes(
            SpecialRange.PRIVATE_10,
            SpecialRange.PRIVATE_172,
            SpecialRange.PRIVATE_192,
            SpecialRange.LINK_LOCAL_IPV4,
            SpecialRange.UNIQUE_LOCAL);

    /** Addresses of public resolvers that are well known to answer over HTTPS, one of each operator. */
    private static final List<Prefix> HTTPS_RESOLVERS = Stream.of(
                    "1.1.1.1", "8.8.8.8", "9.9.9.9", "2606:4700:4700::1111", "2001:4860:4860::8888", "2620:fe::fe")
            .map(Prefix::parse)
            .toList();

    private static final TrafficPattern DNS_PACKETS = TrafficPattern.of(it -> {
        it.protocols = List.of(TCP, UDP);
        it.destinationPorts = List.of(DNS, DNS_ENCRYPTED);
    });

    private final PromiseInputs inputs;
    private final TrafficPattern fromInside;
    private final List<Prefix> local;
    private final List<Prefix> clients;
    private final MaskedMark tunnelMark;

    NodePromise(PromiseInputs inputs) {
        this.inputs = inputs;
        this.fromInside = TrafficPattern.of(it -> it.sources = inputs.innerAddresses());
        this.local = localNetworks();
        this.clients = inputs.settings().gatewayClients();
        this.tunnelMark = new MaskedMark(inputs.mark(), Marks.MAX);
    }

    Promise promise() {
        List<Allowance> outgoing = new ArrayList<>();
        tunnel().ifPresent(outgoing::add);
        bootstrapQueries().ifPresent(outgoing::add);
        mesh().ifPresent(outgoing::add);
        tailscale().ifPresent(outgoing::add);
        outgoing.addAll(bypasses(true));
        lan(true).ifPresent(outgoing::add);
        outgoing.add(replies());
        outgoing.addAll(EssentialTraffic.outgoing(onLink()));
        return new Promise(
                inputs.innerLinks(),
                inputs.clientLinks(),
                clients,
                outgoing.stream().map(this::notFromInside).toList(),
                forwarded(),
                incoming().stream().map(this::notToOtherInside).toList(),
                routingAlone());
    }

    /** Addresses of tunnel and mesh are never those of packets on an uplink. */
    private Allowance notFromInside(Allowance allowance) {
        return allowance.except(fromInside);
    }

    /**
     * Addresses of tunnel and mesh are reachable from their own link only: others could find them out, and send packets into
     * their connections (CVE-2019-14899).
     */
    private Allowance notToOtherInside(Allowance allowance) {
        List<Prefix> others = allowance.from().map(inputs::innerAddressesExcept).orElseGet(inputs::innerAddresses);
        return others.isEmpty()
                ? allowance
                : allowance.except(TrafficPattern.of(it -> it.originalDestinations = others));
    }

    private Optional<Allowance> tunnel() {
        if (inputs.tunnelPort().isEmpty() || inputs.servers().isEmpty()) {
            return Optional.empty();
        }
        List<InetSocketAddress> servers = inputs.servers().stream()
                .sorted(Comparator.comparing(server -> Endpoint.of(server).toString()))
                .toList();
        return Optional.of(new Allowance(
                "WireGuard to "
                        + servers.stream()
                                .map(server -> Endpoint.of(server).toString())
                                .collect(Collectors.joining(" and "))
                        + " from our own UDP port " + inputs.tunnelPort().getAsInt() + " with the mark "
                        + hex(inputs.mark()) + ", which a process with NET_RAW can also set",
                Optional.empty(),
                servers.stream()
                        .map(server -> TrafficPattern.of(it -> {
                            it.mark = Optional.of(tunnelMark);
                            it.protocols = List.of(UDP);
                            it.sourcePorts = List.of(inputs.tunnelPort().getAsInt());
                            it.destinations = List.of(Prefix.host(server.getAddress()));
                            it.destinationPorts = List.of(server.getPort());
                        }))
                        .toList()));
    }

    private Optional<Allowance> bootstrapQueries() {
        List<InetAddress> resolvers = inputs.resolvers();
        return resolvers.isEmpty()
                ? Optional.empty()
                : Optional.of(Allowance.of(
                        "DNS queries to the container's own resolvers (" + addresses(resolvers) + ") with the mark "
                                + hex(inputs.mark()) + ", which a process with NET_RAW can also set",
                        TrafficPattern.of(it -> {
                            it.mark = Optional.of(tunnelMark);
                            it.protocols = List.of(TCP, UDP);
                            it.destinations =
                                    resolvers.stream().map(Prefix::host).toList();
                            it.destinationPorts = List.of(DNS);
                        })));
    }

    private Optional<Allowance> mesh() {
        List<Integer> ports = meshPorts();
        return ports.isEmpty()
                ? Optional.empty()
                : Optional.of(Allowance.of(
                        "WireGuard of the mesh from " + udpPorts(ports) + " to any address with the mark "
                                + hex(inputs.mark()) + ", which a process with NET_RAW can also set",
                        TrafficPattern.of(it -> {
                            it.mark = Optional.of(tunnelMark);
                            it.protocols = List.of(UDP);
                            it.sourcePorts = ports;
                        })));
    }

    private List<Integer> meshPorts() {
        return inputs.meshes().values().stream()
                .flatMapToInt(file -> file.listenPort().stream())
                .distinct()
                .sorted()
                .boxed()
                .toList();
    }

    private Optional<Allowance> tailscale() {
        if (inputs.settings().mesh().tailscale().isEmpty()) {
            return Optional.empty();
        }
        TailscaleSettings settings = inputs.settings().mesh().tailscale().get();
        Set<Integer> tcp =
                new TreeSet<>(List.of(80, HTTPS, settings.controlServer().port()));
        tcp.addAll(inputs.relayPorts());
        TrafficPattern resolvers = TrafficPattern.of(it -> {
            it.protocols = List.of(TCP, UDP);
            it.destinations = HTTPS_RESOLVERS;
            it.destinationPorts = List.of(HTTPS);
        });
        Optional<MaskedMark> mark = Optional.of(new MaskedMark(Marks.TAILSCALE, Marks.TAILSCALE_MASK));
        List<TrafficPattern> patterns = new ArrayList<>();
        settings.port()
                .ifPresent(port -> patterns.add(TrafficPattern.of(it -> {
                            it.mark = mark;
                            it.protocols = List.of(UDP);
                            it.sourcePorts = List.of(port);
                        })
                        .except(DNS_PACKETS)
                        .except(resolvers)));
        patterns.add(TrafficPattern.of(it -> {
                    it.mark = mark;
                    it.protocols = List.of(TCP);
                    it.destinationPorts = List.copyOf(tcp);
                })
                .except(resolvers));
        return Optional.of(new Allowance(
                "Tailscale: "
                        + (settings.port().isPresent()
                                ? "UDP from port " + settings.port().getAsInt() + " to any address but no DNS, and "
                                : "")
                        + "TCP to the ports "
                        + tcp.stream().map(String::valueOf).collect(Collectors.joining(", "))
                        + " of any address but no known DNS server, with the mark " + hex(Marks.TAILSCALE)
                        + ", which a process with NET_RAW can also set",
                Optional.empty(),
                patterns));
    }

    /** What bypasses have in common, so that thousands are few kinds of packets. */
    private record BypassKind(Optional<Transport> transport, OptionalInt port) {}

    /** @param withoutDns whether a bypass without a port excludes DNS */
    private List<Allowance> bypasses(boolean withoutDns) {
        Map<BypassKind, List<Prefix>> destinations = new LinkedHashMap<>();
        List<String> texts = new ArrayList<>();
        for (BypassEntry entry : inputs.settings().bypasses()) {
            texts.add(entry.toString());
            switch (entry) {
                case BypassEntry.ToPrefix(Bypass bypass) ->
                    destinations
                            .computeIfAbsent(new BypassKind(bypass.transport(), bypass.port()), _ -> new ArrayList<>())
                            .add(bypass.destination());
                case BypassEntry.ToName name ->
                    inputs.bypassAddresses()
                            .getOrDefault(name.name(), List.of())
                            .forEach(address -> destinations
                                    .computeIfAbsent(
                                            new BypassKind(name.transport(), OptionalInt.of(name.port())),
                                            _ -> new ArrayList<>())
                                    .add(Prefix.host(address)));
            }
        }
        if (texts.isEmpty()) {
            return List.of();
        }
        List<TrafficPattern> patterns = new ArrayList<>();
        destinations.forEach((kind, prefixes) -> {
            TrafficPattern pattern = TrafficPattern.of(it -> {
                it.destinations = prefixes;
                it.protocols = kind.transport()
                        .map(one -> List.of(one.number()))
                        .orElse(kind.port().isPresent() ? List.of(TCP, UDP) : List.of());
                it.destinationPorts = kind.port().stream().boxed().toList();
            });
            patterns.add(withoutDns && kind.port().isEmpty() ? pattern.except(DNS_PACKETS) : pattern);
        });
        return List.of(new Allowance(
                "bypasses " + list(texts) + " by local processes (CULVERT_BYPASS)", Optional.empty(), patterns));
    }

    private Optional<Allowance> lan(boolean withoutDns) {
        if (local.isEmpty()) {
            return Optional.empty();
        }
        TrafficPattern pattern = TrafficPattern.of(it -> it.destinations = local);
        return Optional.of(Allowance.of(
                "local networks "
                        + list(local.stream().map(Prefix::toString).toList())
                        + " by local processes, except DNS (CULVERT_LAN_ALLOW)",
                withoutDns ? pattern.except(DNS_PACKETS) : pattern));
    }

    private List<Prefix> localNetworks() {
        List<Prefix> networks = new ArrayList<>(inputs.settings().lan().prefixes());
        if (inputs.settings().lan().connected()) {
            inputs.machine().connected().stream()
                    .filter(network -> PRIVATE.stream().anyMatch(range -> range.contains(network)))
                    .forEach(networks::add);
        }
        return networks.stream().distinct().toList();
    }

    /** Only WireGuard itself replies from its port. */
    private Allowance replies() {
        TrafficPattern replies = TrafficPattern.of(it -> it.direction = Direction.REPLY_TO_UPLINK);
        List<TrafficPattern> patterns = new ArrayList<>();
        patterns.add(
                inputs.tunnelPort().isEmpty()
                        ? replies
                        : replies.except(TrafficPattern.ports(
                                UDP, List.of(inputs.tunnelPort().getAsInt()), List.of())));
        inputs.tunnelPort()
                .ifPresent(port -> patterns.add(TrafficPattern.of(it -> {
                    it.direction = Direction.REPLY_TO_UPLINK;
                    it.mark = Optional.of(tunnelMark);
                    it.protocols = List.of(UDP);
                    it.sourcePorts = List.of(port);
                })));
        return new Allowance("replies to connections that came in by an uplink", Optional.empty(), patterns);
    }

    /** Returns the networks of the uplinks, and gateways outside of them. */
    private List<Prefix> onLink() {
        return Stream.concat(
                        inputs.machine().connected().stream(),
                        inputs.machine().uplinks().values().stream()
                                .flatMap(uplink -> uplink.gateway().stream())
                                .map(Prefix::host))
                .distinct()
                .toList();
    }

    private List<Allowance> forwarded() {
        Stream<Allowance> gateway = clients.isEmpty()
                ? Stream.empty()
                : Stream.of(new Allowance(
                        "replies from the tunnel to gateway clients in " + list(texts(clients))
                                + " (CULVERT_GATEWAY_CLIENTS)",
                        Optional.of(inputs.tunnel()),
                        List.of(TrafficPattern.of(it -> {
                            it.destinations = clients;
                            it.direction = Direction.REPLY;
                        }))));
        Stream<Allowance> subnets = inputs.settings().mesh().tailscale().stream()
                .filter(settings -> !settings.routes().isEmpty())
                .map(settings -> new Allowance(
                        "subnets "
                                + list(settings.routes().stream()
                                        .map(Prefix::toString)
                                        .toList()) + " by the tailnet (TS_ROUTES)",
                        Optional.of(settings.interfaceName()),
                        List.of(TrafficPattern.of(it -> it.destinations = settings.routes()))));
        return Stream.concat(gateway, subnets).toList();
    }

    private List<Allowance> incoming() {
        List<Allowance> incoming = new ArrayList<>();
        incoming.add(EssentialTraffic.incomingReplies());
        incoming.add(new Allowance(
                "replies from the tunnel",
                Optional.of(inputs.tunnel()),
                List.of(TrafficPattern.of(it -> it.direction = Direction.REPLY))));
        inputs.forwardedPort()
                .ifPresent(port -> incoming.add(new Allowance(
                        "the forwarded port " + port + " from the tunnel (CULVERT_FORWARDED_PORT)",
                        Optional.of(inputs.tunnel()),
                        Stream.of(TCP, UDP)
                                .map(protocol ->
                                        exceptHttpOnLoopback(TrafficPattern.ports(protocol, List.of(), List.of(port))))
                                .toList())));
        List<Integer> httpPorts = inputs.settings().http().meshPorts();
        inputs.clientLinks().forEach(link -> {
            if (!httpPorts.isEmpty()) {
                incoming.add(new Allowance(
                        "the HTTP control server at TCP port "
                                + list(httpPorts.stream().map(String::valueOf).toList()) + " (CULVERT_HTTP)",
                        Optional.of(link),
                        List.of(TrafficPattern.ports(TCP, List.of(), httpPorts))));
            }
            incoming.add(new Allowance(
                    "everything" + (httpPorts.isEmpty() ? "" : " else") + " from the mesh",
                    Optional.of(link),
                    List.of(exceptHttpOnLoopback(TrafficPattern.of(_ -> {})))));
        });
        Set<Integer> wireGuard = new TreeSet<>(meshPorts());
        inputs.tunnelPort().ifPresent(wireGuard::add);
        inputs.settings().mesh().tailscale().stream()
                .flatMapToInt(settings -> settings.port().stream())
                .forEach(wireGuard::add);
        if (!wireGuard.isEmpty()) {
            incoming.add(Allowance.of(
                    "WireGuard to " + udpPorts(List.copyOf(wireGuard)) + " from any address",
                    TrafficPattern.ports(UDP, List.of(), List.copyOf(wireGuard))));
        }
        Set<Port> published = publishedPorts();
        if (!published.isEmpty()) {
            incoming.add(new Allowance(
                    "published ports "
                            + list(published.stream().map(Port::toString).toList()),
                    Optional.empty(),
                    published.stream()
                            .map(port -> exceptHttpOnLoopback(
                                    TrafficPattern.ports(port.transport().number(), List.of(), List.of(port.number()))))
                            .toList()));
        }
        if (!local.isEmpty()) {
            incoming.add(Allowance.of(
                    "everything from the local networks "
                            + list(local.stream().map(Prefix::toString).toList()),
                    exceptHttpOnLoopback(TrafficPattern.of(it -> it.sources = local))));
        }
        if (!clients.isEmpty()) {
            incoming.add(Allowance.of(
                    "DNS queries from gateway clients in " + list(texts(clients))
                            + " to the stub resolver (CULVERT_GATEWAY_CLIENTS)",
                    TrafficPattern.of(it -> {
                        it.sources = clients;
                        it.protocols = List.of(TCP, UDP);
                        it.destinationPorts = List.of(inputs.dnsPort());
                    })));
        }
        incoming.addAll(EssentialTraffic.incoming());
        return incoming;
    }

    /** Returns the packets without those to the HTTP control server on loopback: none may come in by another link. */
    private TrafficPattern exceptHttpOnLoopback(TrafficPattern packets) {
        List<Integer> ports = inputs.settings().http().loopbackPorts();
        return ports.isEmpty()
                ? packets
                : packets.except(TrafficPattern.of(it -> {
                    it.protocols = List.of(TCP);
                    it.destinations = List.of(SpecialRange.LOOPBACK_IPV4.prefix());
                    it.destinationPorts = ports;
                }));
    }

    /** Returns the ports of CULVERT_PUBLISH and of the proxies. */
    private Set<Port> publishedPorts() {
        Set<Port> ports = new LinkedHashSet<>(inputs.settings().published());
        inputs.socksPort().ifPresent(port -> {
            ports.add(new Port(port, Transport.TCP));
            inputs.settings().socks().udpPorts().ports().forEach(udp -> ports.add(new Port(udp, Transport.UDP)));
        });
        inputs.settings().httpProxy().ifPresent(port -> ports.add(new Port(port, Transport.TCP)));
        inputs.settings().mesh().tailscale().ifPresent(settings -> ports.addAll(settings.proxyPorts()));
        return ports;
    }

    /** Returns what routing rules admit, see docs/architecture.md. */
    private List<Allowance> routingAlone() {
        List<Allowance> allowances = new ArrayList<>();
        allowances.add(Allowance.of(
                "packets with the mark " + hex(inputs.mark()),
                TrafficPattern.of(it -> it.mark = Optional.of(tunnelMark))));
        if (inputs.settings().mesh().tailscale().isPresent()) {
            allowances.add(Allowance.of(
                    "packets with Tailscale's mark",
                    TrafficPattern.of(
                            it -> it.mark = Optional.of(new MaskedMark(Marks.TAILSCALE, Marks.TAILSCALE_MASK)))));
        }
        allowances.addAll(bypasses(false));
        lan(false).ifPresent(allowances::add);
        TrafficPattern onLink = TrafficPattern.of(it -> it.destinations = Stream.concat(
                        SpecialRange.prefixes(
                                SpecialRange.LINK_LOCAL_IPV6,
                                SpecialRange.MULTICAST_IPV6,
                                SpecialRange.MULTICAST_IPV4,
                                SpecialRange.BROADCAST)
                                .stream(),
                        broadcasts())
                .toList());
        String sentence = "link-local addresses, multicast and broadcast";
        allowances.add(Allowance.of(sentence, onLink));
        inputs.clientLinks()
                .forEach(link -> allowances.add(new Allowance(sentence, Optional.of(link), List.of(onLink))));
        List<Prefix> addresses = ownAddresses();
        if (!addresses.isEmpty()) {
            Set<Port> ports = publishedPorts();
            Stream.concat(
                            meshPorts().stream(),
                            inputs.settings().mesh().tailscale().stream()
                                    .flatMapToInt(settings -> settings.port().stream())
                                    .boxed())
                    .forEach(port -> ports.add(new Port(port, Transport.UDP)));
            if (!clients.isEmpty()) {
                Stream.of(Transport.values()).forEach(transport -> ports.add(new Port(inputs.dnsPort(), transport)));
            }
            allowances.add(new Allowance(
                    "replies from published ports",
                    Optional.empty(),
                    ports.stream()
                            .map(port -> TrafficPattern.of(it -> {
                                it.sources = addresses;
                                it.protocols = List.of(port.transport().number());
                                it.sourcePorts = List.of(port.number());
                            }))
                            .toList()));
            if (inputs.machine().strictReversePath()) {
                allowances.add(Allowance.of(
                        "packets from this machine's IPv4 addresses, as rp_filter is strict",
                        TrafficPattern.of(it -> it.sources = addresses.stream()
                                .filter(address -> address.family() == Family.IPV4)
                                .toList())));
            }
        }
        return allowances;
    }

    /** Returns the broadcast addresses of connected networks, and in IPv6 the anycast address of routers (RFC 4291, 2.6.1). */
    private Stream<Prefix> broadcasts() {
        return inputs.machine().connected().stream()
                .filter(network -> network.length() < network.family().bits() - 1)
                .flatMap(network -> network.family() == Family.IPV4
                        ? Stream.of(Prefix.host(network.address()), last(network))
                        : Stream.of(Prefix.host(network.address())));
    }

    private static Prefix last(Prefix network) {
        Prefix part = network;
        while (!part.isHost()) {
            part = part.halves().getLast();
        }
        return part;
    }

    private List<Prefix> ownAddresses() {
        return Stream.concat(
                        inputs.machine().main().addresses().stream().map(LinkAddress::address),
                        inputs.machine().uplinks().values().stream().flatMap(uplink -> uplink.addresses().stream()))
                .map(address -> Prefix.host(address.address()))
                .distinct()
                .toList();
    }

    private static String udpPorts(List<Integer> ports) {
        return (ports.size() == 1 ? "UDP port " : "UDP ports ")
                + ports.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    private static List<String> texts(List<Prefix> networks) {
        return networks.stream().map(Prefix::toString).toList();
    }

    private static String addresses(List<InetAddress> addresses) {
        return list(addresses.stream().map(Prefix::text).toList());
    }

    /** Lists a few, and counts the others. */
    private static String list(List<String> items) {
        int shown = 5;
        return items.stream().limit(shown).collect(Collectors.joining(", "))
                + (items.size() > shown ? " and " + (items.size() - shown) + " more" : "");
    }

    private static String hex(long mark) {
        return "0x" + Long.toHexString(mark);
    }
}
