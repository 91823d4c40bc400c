// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.firewall.KillSwitchInput;
import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.firewall.LinkEssentials;
import io.culvert.net.Bypass;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import io.culvert.net.Transport;
import io.culvert.nft.Table;
import io.culvert.routing.ExitNodeRouting;
import io.culvert.routing.InterfaceAddress;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.LinkSpec;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.Ownership;
import io.culvert.rtnl.Route;
import io.culvert.settings.BypassEntry;
import io.culvert.settings.Settings;
import io.culvert.wireguard.config.Peer;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Plans the complete desired state of an exit node from settings, files and machine. It is a pure function. */
public final class ExitNodePlanner {

    /** Keeps the session open, so that a server that stopped responding is detected while the tunnel is idle. */
    private static final int KEEPALIVE_SECONDS = 25;

    /** Connected networks that count as the LAN; the shared range is not one of them, as tailnets use it. */
    private static final List<Prefix> PRIVATE_RANGES = SpecialRange.prefixes(
            SpecialRange.PRIVATE_10,
            SpecialRange.PRIVATE_172,
            SpecialRange.PRIVATE_192,
            SpecialRange.LINK_LOCAL_IPV4,
            SpecialRange.UNIQUE_LOCAL);

    private final ExitNodeInputs inputs;
    private final Settings settings;
    private final Machine machine;
    private final List<MeshInterface> meshes;
    private final DeviceConfig tunnel;
    private final LinkIpv6 tunnelIpv6;
    private final List<LinkIpv6> meshIpv6;
    private final Set<Family> tunnelFamilies;
    private final DnsPlan dns;
    private final List<Prefix> lan;
    private final List<Bypass> bypasses;

    private ExitNodePlanner(ExitNodeInputs inputs) {
        this.inputs = inputs;
        this.settings = inputs.settings();
        this.machine = inputs.machine();
        this.meshes = MeshInterface.of(inputs);
        DeviceConfig device = DevicePlan.withPort(
                DevicePlan.of(
                        inputs.server(),
                        inputs.identity().marks().tunnel(),
                        inputs.names(),
                        machine.main()::hasRouteTo,
                        KEEPALIVE_SECONDS),
                tunnelPort());
        this.tunnel = inputs.paused() ? DevicePlan.withoutPeers(device) : device;
        // While paused, as when connected: a link whose MTU or addresses changed would interrupt more than it has to.
        this.tunnelIpv6 = tunnelIpv6(DevicePlan.endpointFamily(device));
        this.meshIpv6 = inputs.meshes().stream()
                .map(mesh ->
                        LinkIpv6.of(machine, mesh.link(), Mtu.of(mesh.file().mtu(), machine)))
                .toList();
        this.tunnelFamilies = tunnelFamilies();
        this.dns = DnsPlan.of(inputs, meshes, tunnelFamilies);
        this.lan = lan(settings, machine);
        this.bypasses = bypasses(inputs);
    }

    private LinkIpv6 tunnelIpv6(Optional<Family> endpoint) {
        return LinkIpv6.of(
                machine,
                inputs.identity().link(),
                Mtu.of(settings.mtu(), inputs.server().mtu(), machine, endpoint));
    }

    public static ExitNodePlan plan(ExitNodeInputs inputs) {
        return new ExitNodePlanner(inputs).plan();
    }

    /** Returns the remarks of a plan alone. */
    public static List<Problem> remarks(ExitNodeInputs inputs) {
        return new ExitNodePlanner(inputs).remarks();
    }

    private ExitNodePlan plan() {
        Predicate<InetAddress> reaches = machine.main()::hasRouteTo;
        SequencedMap<String, DeviceConfig> meshDevices = new LinkedHashMap<>();
        for (WireGuardMeshInterface mesh : inputs.meshes()) {
            WireGuardConfig file = mesh.file(inputs.names(), reaches);
            meshDevices.put(
                    mesh.link(), DevicePlan.of(file, inputs.identity().marks().tunnel(), inputs.names(), reaches, 0));
        }
        ExitNodeRouting routing = routing();
        NetworkState killSwitchRouting = new NetworkState(
                List.of(),
                List.of(),
                Stream.of(routing.bypassRoutes(), routing.meshOnlyRoutes(), routing.replyRoutes())
                        .flatMap(List::stream)
                        .toList(),
                routing.rules());
        NetworkState network = network(routing, killSwitchRouting);
        return new ExitNodePlan(
                inputs.identity(),
                tunnel,
                meshDevices,
                killSwitch(tunnel),
                killSwitchRouting,
                limitedTo(network, inputs.identity().link()),
                network,
                routing.routingIntent(killSwitchRouting.rules()),
                dns,
                endpointNames(),
                bypassNames(),
                meshes.stream()
                        .flatMap(mesh -> mesh.peers().stream())
                        .distinct()
                        .toList(),
                inputs.tailnet(),
                gatewayAddresses(),
                remarks(),
                machine);
    }

    private ExitNodeRouting routing() {
        return new ExitNodeRouting(
                machine,
                inputs.identity(),
                tunnelRoutes(),
                meshes.stream().map(mesh -> mesh.routingInput(lacksIpv6(mesh))).toList(),
                withinMesh(Stream.of(
                                providerPrefixes().stream(),
                                lan.stream(),
                                meshes.stream().flatMap(mesh -> mesh.subnets().stream()))
                        .flatMap(prefixes -> prefixes)
                        .toList()),
                lan,
                repliedPorts(),
                bypasses,
                settings.gatewayClients());
    }

    private NetworkState network(ExitNodeRouting routing, NetworkState killSwitchRouting) {
        List<LinkSpec> links = new ArrayList<>();
        List<LinkAddress> addresses = new ArrayList<>();
        List<InetAddress> servers = tunnel.peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .map(InetSocketAddress::getAddress)
                .toList();
        addLink(tunnelIpv6, inputs.server(), servers, links, addresses);
        for (int i = 0; i < meshIpv6.size(); i++) {
            addLink(meshIpv6.get(i), inputs.meshes().get(i).file(), servers, links, addresses);
        }
        List<Route> routes = Stream.concat(routing.routes().stream(), killSwitchRouting.routes().stream())
                .toList();
        return new NetworkState(links, addresses, routes, killSwitchRouting.rules());
    }

    /** Returns the part of a network state that needs only one link. */
    private static NetworkState limitedTo(NetworkState state, String link) {
        return new NetworkState(
                state.links().stream().filter(it -> it.name().equals(link)).toList(),
                state.addresses().stream().filter(it -> it.link().equals(link)).toList(),
                state.routes().stream()
                        .filter(it -> it.link().equals(Optional.of(link)))
                        .toList(),
                state.rules());
    }

    private List<Table> killSwitch(DeviceConfig device) {
        KillSwitchInput.Tunnel tunnel = new KillSwitchInput.Tunnel(
                inputs.identity().link(),
                addresses(inputs.server()),
                tunnelFamilies,
                withinMesh(providerPrefixes()),
                OptionalInt.of(device.listenPort()));
        return KillSwitchRuleset.of(KillSwitchInput.of(
                inputs.identity().marks(), KillSwitchInput.Scope.NODE, tunnel, it -> {
                    it.meshes =
                            meshes.stream().map(MeshInterface::killSwitchInput).toList();
                    it.servers = Stream.concat(device.endpoints().stream(), inputs.roamedEndpoint().stream())
                            .toList();
                    it.resolvers = inputs.resolvers().all();
                    it.lan = lan;
                    it.published = openPorts();
                    it.onLink = LinkEssentials.onLink(machine);
                    it.bypasses = bypasses;
                    it.hasProxy = inputs.socksPort().isPresent()
                            || settings.httpProxy().isPresent();
                    it.forwardedPort = inputs.forwardedPort();
                    it.loopbackPorts = settings.http().loopbackPorts();
                    it.gatewayClients = settings.gatewayClients();
                    it.dnsPort = OptionalInt.of(inputs.dnsPort());
                }));
    }

    /** Returns the provider's resolvers and networks, which may be within the address range of tailnets. */
    private List<Prefix> providerPrefixes() {
        return Stream.concat(
                        dns.servers().stream().map(Prefix::host),
                        inputs.server().addresses().stream().map(Prefix::network))
                .toList();
    }

    /** Returns the prefixes that are within a prefix of the mesh and do not contain one. */
    private List<Prefix> withinMesh(List<Prefix> prefixes) {
        List<Prefix> reach =
                meshes.stream().flatMap(mesh -> mesh.reach().stream()).toList();
        return prefixes.stream()
                .filter(prefix -> reach.stream().anyMatch(range -> range.contains(prefix)))
                .filter(prefix -> reach.stream().noneMatch(prefix::contains))
                .distinct()
                .toList();
    }

    private static List<InetAddress> addresses(WireGuardConfig file) {
        return file.addresses().stream().map(Prefix::address).toList();
    }

    private int tunnelPort() {
        return inputs.server()
                .listenPort()
                .orElseGet(() -> tunnelPortCandidates()
                        .skip(inputs.skippedPortCount())
                        .findFirst()
                        .orElseThrow());
    }

    /** Returns the candidates for the tunnel's port, without UDP ports that are published. */
    private IntStream tunnelPortCandidates() {
        Set<Integer> published = published().stream()
                .filter(port -> port.transport() == Transport.UDP)
                .map(Port::number)
                .collect(Collectors.toSet());
        return DerivedPort.candidates(
                        inputs.server().privateKey(), inputs.identity().link())
                .filter(port -> !published.contains(port));
    }

    /**
     * Returns the inputs with a port for the tunnel that is not in use.
     *
     * @throws ProblemException if all candidates are in use
     */
    public static ExitNodeInputs withFreePort(ExitNodeInputs inputs, Set<Integer> inUse) {
        int[] ports = new ExitNodePlanner(inputs).tunnelPortCandidates().toArray();
        return IntStream.range(inputs.skippedPortCount(), ports.length)
                .filter(skipped -> !inUse.contains(ports[skipped]))
                .mapToObj(skipped -> inputs.with(it -> it.skippedPortCount = skipped))
                .findFirst()
                .orElseThrow(() -> new ProblemException(Problem.machine(
                        Location.machine(inputs.identity().link()),
                        "no UDP port is free for the tunnel",
                        "stop the program in this network namespace that uses all of them")));
    }

    /** Returns the ports of services. The kill switch allows the mesh's own ports in addition. */
    private List<Port> openPorts() {
        return servicePorts().toList();
    }

    private void addLink(
            LinkIpv6 link,
            WireGuardConfig file,
            List<InetAddress> servers,
            List<LinkSpec> links,
            List<LinkAddress> addresses) {
        links.add(new LinkSpec(link.link(), link.mtu().bytes(), Ownership.ALIAS));
        link.usable(file.addresses())
                .forEach(address -> addresses.add(
                        new LinkAddress(link.link(), InterfaceAddress.planned(address, servers, machine))));
    }

    /** Returns what the files request and the links cannot carry. */
    private List<Problem> remarks() {
        List<LinkIpv6> ipv6Links = new ArrayList<>();
        if (hasIpv6(inputs.server())) {
            boolean isServerResolved = inputs.paused()
                    || tunnel.peers().stream().anyMatch(peer -> peer.endpoint().isPresent());
            // Before the server's name is resolved, the MTU may still be large enough for IPv6.
            ipv6Links.add(isServerResolved ? tunnelIpv6 : tunnelIpv6(Optional.of(Family.IPV4)));
        }
        for (int i = 0; i < meshIpv6.size(); i++) {
            if (hasIpv6(inputs.meshes().get(i).file())) {
                ipv6Links.add(meshIpv6.get(i));
            }
        }
        return LinkIpv6.problems(ipv6Links);
    }

    private static boolean hasIpv6(WireGuardConfig file) {
        return file.addresses().stream().anyMatch(address -> address.family() == Family.IPV6);
    }

    private boolean lacksIpv6(MeshInterface mesh) {
        return meshIpv6.stream().anyMatch(link -> link.link().equals(mesh.link()) && !link.isSupported());
    }

    /** Returns the tunnel's routes; none in a family without a tunnel address, so that it ends in "unreachable". */
    private List<Prefix> tunnelRoutes() {
        return ExitNodeChecks.allowedIps(inputs.server()).stream()
                .filter(prefix -> tunnelFamilies.contains(prefix.family()))
                .toList();
    }

    private Set<Family> tunnelFamilies() {
        Set<Family> tunnelFamilies = new LinkedHashSet<>();
        tunnelIpv6.usable(inputs.server().addresses()).forEach(address -> tunnelFamilies.add(address.family()));
        return tunnelFamilies;
    }

    /** Returns the networks that this node reaches, and is reached from, outside the tunnel. */
    public static List<Prefix> lan(Settings settings, Machine machine) {
        Stream<Prefix> connected = settings.lan().connected()
                ? machine.connected().stream()
                        .filter(prefix -> PRIVATE_RANGES.stream().anyMatch(range -> range.contains(prefix)))
                : Stream.empty();
        return Stream.concat(settings.lan().prefixes().stream(), connected)
                .distinct()
                .toList();
    }

    /** Returns whether a port is one of the proxies', which must not be reachable from the internet. */
    public static boolean isProxyPort(ExitNodeInputs inputs, int port) {
        return new ExitNodePlanner(inputs).proxyPorts().anyMatch(it -> it.number() == port);
    }

    /** Returns the ports that are reachable from the uplink: services, and the mesh's own ports. */
    private List<Port> published() {
        Stream<Port> meshPorts = meshes.stream()
                .flatMapToInt(mesh -> mesh.port().stream())
                .mapToObj(port -> new Port(port, Transport.UDP));
        return Stream.concat(servicePorts(), meshPorts).distinct().toList();
    }

    /** Returns the ports whose replies leave by the uplink: those that are reachable from it, and the stub for gateway clients. */
    private List<Port> repliedPorts() {
        Stream<Port> stub = settings.gatewayClients().isEmpty()
                ? Stream.empty()
                : Stream.of(Transport.values()).map(transport -> new Port(inputs.dnsPort(), transport));
        return Stream.concat(published().stream(), stub).distinct().toList();
    }

    /** Returns the addresses by which gateway clients reach the DNS stub; link-local ones need a zone, and are not used. */
    private List<InetAddress> gatewayAddresses() {
        Set<String> inner = new LinkedHashSet<>(List.of("lo", inputs.identity().link()));
        meshes.forEach(mesh -> inner.add(mesh.link()));
        return machine.main().addresses().stream()
                .filter(address -> !inner.contains(address.link()))
                .map(address -> address.address())
                .filter(address ->
                        settings.gatewayClients().stream().anyMatch(client -> client.family() == address.family()))
                .map(Prefix::address)
                .filter(address -> !address.isLinkLocalAddress())
                .distinct()
                .toList();
    }

    /** Returns the ports that the user publishes, and those of the proxies. */
    private Stream<Port> servicePorts() {
        return Stream.concat(settings.published().stream(), proxyPorts()).distinct();
    }

    private Stream<Port> proxyPorts() {
        return Stream.of(
                        IntStream.concat(inputs.socksPort().stream(), settings.httpProxy().stream())
                                .mapToObj(port -> new Port(port, Transport.TCP)),
                        inputs.socksPort().isEmpty()
                                ? Stream.<Port>empty()
                                : settings.socks().udpPorts().ports().mapToObj(port -> new Port(port, Transport.UDP)),
                        settings.mesh().tailscale().stream().flatMap(it -> it.proxyPorts().stream()))
                .flatMap(ports -> ports);
    }

    /** Returns the destinations that local processes reach outside the tunnel, with the addresses of names that are known. */
    public static List<Bypass> bypasses(ExitNodeInputs inputs) {
        Set<Bypass> bypasses = new LinkedHashSet<>();
        for (BypassEntry entry : inputs.settings().bypasses()) {
            switch (entry) {
                case BypassEntry.ToPrefix(Bypass bypass) -> addBypass(bypass, bypasses);
                case BypassEntry.ToName(Host.Name name, int port, Optional<Transport> transport) -> {
                    for (InetAddress address : inputs.names().ofBypass(name)) {
                        addBypass(new Bypass(Prefix.host(address), transport, OptionalInt.of(port)), bypasses);
                    }
                }
            }
        }
        return List.copyOf(bypasses);
    }

    /** Adds a bypass. The kernel's rules need a protocol for a port: both are added if the entry names none. */
    private static void addBypass(Bypass bypass, Set<Bypass> bypasses) {
        if (bypass.port().isPresent() && bypass.transport().isEmpty()) {
            for (Transport each : Transport.values()) {
                bypasses.add(new Bypass(bypass.destination(), Optional.of(each), bypass.port()));
            }
        } else {
            bypasses.add(bypass);
        }
    }

    private Set<Host.Name> endpointNames() {
        Set<Host.Name> names = new LinkedHashSet<>();
        Stream.concat(
                        inputs.server().peers().stream().map(Peer::endpoint).flatMap(Optional::stream),
                        inputs.meshes().stream().flatMap(WireGuardMeshInterface::endpoints))
                .forEach(endpoint -> {
                    if (endpoint.host() instanceof Host.Name name) {
                        names.add(name);
                    }
                });
        return names;
    }

    private Set<Host.Name> bypassNames() {
        Set<Host.Name> names = new LinkedHashSet<>();
        settings.bypasses().forEach(entry -> {
            if (entry instanceof BypassEntry.ToName name) {
                names.add(name.name());
            }
        });
        return names;
    }
}
