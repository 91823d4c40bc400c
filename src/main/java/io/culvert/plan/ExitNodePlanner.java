package io.culvert.plan;

import io.culvert.device.DeviceConfig;
import io.culvert.ip.Family;
import io.culvert.ip.Host;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import io.culvert.network.Link;
import io.culvert.network.LinkAddress;
import io.culvert.network.Machine;
import io.culvert.network.NetworkState;
import io.culvert.network.Ownership;
import io.culvert.network.Route;
import io.culvert.nft.Table;
import io.culvert.plan.ExitNodeRouting.Bypass;
import io.culvert.plan.ExitNodeRouting.Published;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.settings.Holepunch;
import io.culvert.settings.Settings;
import io.culvert.wireguard.Peer;
import io.culvert.wireguard.WireGuardConfig;
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

    /** Keeps the session alive, so that a dead server is detected while the tunnel is idle. */
    private static final int KEEPALIVE_SECONDS = 25;

    /** Resolvers that are queried through the tunnel if neither file nor settings name one: Quad9's. */
    static final List<InetAddress> PUBLIC_RESOLVERS =
            List.of(Prefix.parseAddress("9.9.9.9"), Prefix.parseAddress("2620:fe::fe"));

    /** Tailscale's own resolver (tailscale: net/tsaddr, TailscaleServiceIP). */
    private static final InetAddress TAILNET_RESOLVER = Prefix.parseAddress("100.100.100.100");

    private static final List<Prefix> PRIVATE = Stream.of(
                    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7")
            .map(Prefix::parse)
            .toList();

    private final ExitNodeInputs inputs;
    private final Settings settings;
    private final Machine machine;
    private final List<MeshSide> meshes;
    private final DeviceConfig tunnel;
    private final LinkIpv6 tunnelIpv6;
    private final List<LinkIpv6> meshIpv6;
    private final Set<Family> carried;
    private final List<Prefix> lan;
    private final List<Bypass> bypasses;

    private ExitNodePlanner(ExitNodeInputs inputs) {
        this.inputs = inputs;
        this.settings = inputs.settings();
        this.machine = inputs.machine();
        this.meshes = MeshSide.of(inputs);
        this.tunnel = DevicePlan.withPort(
                DevicePlan.of(
                        inputs.server(), settings.mark(), inputs.names(), machine.main()::reaches, KEEPALIVE_SECONDS),
                tunnelPort());
        this.tunnelIpv6 = tunnelIpv6(DevicePlan.endpointFamily(tunnel));
        this.meshIpv6 = inputs.meshes().stream()
                .map(mesh ->
                        LinkIpv6.of(machine, mesh.link(), Mtu.of(mesh.file().mtu(), machine)))
                .toList();
        this.carried = carried();
        this.lan = lan(settings, machine);
        this.bypasses = bypasses();
    }

    private LinkIpv6 tunnelIpv6(Optional<Family> endpoint) {
        return LinkIpv6.of(
                machine,
                ExitNodePlan.TUNNEL,
                Mtu.of(settings.mtu(), inputs.server().mtu(), machine, endpoint));
    }

    public static ExitNodePlan plan(ExitNodeInputs inputs) {
        return new ExitNodePlanner(inputs).plan();
    }

    private ExitNodePlan plan() {
        Predicate<InetAddress> reaches = machine.main()::reaches;
        SequencedMap<String, DeviceConfig> meshDevices = new LinkedHashMap<>();
        for (PlainMesh mesh : inputs.meshes()) {
            WireGuardConfig file = mesh.file(inputs.names(), reaches);
            meshDevices.put(mesh.link(), DevicePlan.of(file, settings.mark(), inputs.names(), reaches, 0));
        }
        ExitNodeRouting routing = routing();
        NetworkState rules = new NetworkState(
                List.of(),
                List.of(),
                Stream.of(routing.bypassRoutes(), routing.meshOnlyRoutes(), routing.answerRoutes())
                        .flatMap(List::stream)
                        .toList(),
                routing.rules());
        NetworkState network = network(routing, rules);
        return new ExitNodePlan(
                tunnel,
                meshDevices,
                guard(tunnel),
                rules,
                only(network, ExitNodePlan.TUNNEL),
                network,
                routing.claim(),
                dnsServers(),
                nameRoutes(),
                stubAddresses(),
                endpointNames(),
                bypassNames(),
                meshes.stream()
                        .flatMap(side -> side.peers().stream())
                        .distinct()
                        .toList(),
                inputs.tailnet(),
                remarks(),
                machine);
    }

    private ExitNodeRouting routing() {
        return new ExitNodeRouting(
                machine,
                ExitNodePlan.TUNNEL,
                tunnelRoutes(),
                meshes.stream().map(side -> side.routed(isClosed(side))).toList(),
                withinMesh(Stream.of(
                                tunnelsOwn().stream(),
                                lan.stream(),
                                meshes.stream().flatMap(side -> side.subnets().stream()))
                        .flatMap(prefixes -> prefixes)
                        .toList()),
                settings.mark(),
                lan,
                published(),
                bypasses);
    }

    private NetworkState network(ExitNodeRouting routing, NetworkState rules) {
        List<Link> links = new ArrayList<>();
        List<LinkAddress> addresses = new ArrayList<>();
        List<InetAddress> servers = tunnel.peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .map(InetSocketAddress::getAddress)
                .toList();
        link(tunnelIpv6, inputs.server(), servers, links, addresses);
        for (int i = 0; i < meshIpv6.size(); i++) {
            link(meshIpv6.get(i), inputs.meshes().get(i).file(), servers, links, addresses);
        }
        List<Route> routes = Stream.concat(routing.routes().stream(), rules.routes().stream())
                .toList();
        return new NetworkState(links, addresses, routes, rules.rules());
    }

    /** Returns the part of a network state that needs only one link. */
    private static NetworkState only(NetworkState whole, String link) {
        return new NetworkState(
                whole.links().stream().filter(it -> it.name().equals(link)).toList(),
                whole.addresses().stream().filter(it -> it.link().equals(link)).toList(),
                whole.routes().stream()
                        .filter(it -> it.link().equals(Optional.of(link)))
                        .toList(),
                whole.rules());
    }

    private List<Table> guard(DeviceConfig device) {
        GuardInput.Tunnel tunnel = new GuardInput.Tunnel(
                ExitNodePlan.TUNNEL,
                own(inputs.server()),
                carried,
                withinMesh(tunnelsOwn()),
                OptionalInt.of(device.listenPort()));
        return GuardRuleset.of(new GuardInput(
                Marks.withTunnel(settings.mark()),
                GuardInput.Scope.NODE,
                tunnel,
                meshes.stream().map(MeshSide::guarded).toList(),
                Stream.concat(DevicePlan.endpoints(device).stream(), inputs.roamed().stream())
                        .toList(),
                inputs.resolvers().all(),
                lan,
                guardPorts(),
                AddressKeeping.onLink(machine),
                bypasses.stream()
                        .map(it -> new GuardInput.Hole(it.destination(), it.transport(), it.port()))
                        .toList(),
                inputs.socksPort().isPresent(),
                List.of(),
                OptionalInt.of(inputs.dnsPort())));
    }

    /** Returns the provider's resolvers and networks, which may be within the address range of tailnets. */
    private List<Prefix> tunnelsOwn() {
        return Stream.concat(
                        dnsServers().stream().map(Prefix::host),
                        inputs.server().addresses().stream().map(Prefix::network))
                .toList();
    }

    /** Returns the prefixes that are within a prefix of the mesh and do not contain one. */
    private List<Prefix> withinMesh(List<Prefix> prefixes) {
        List<Prefix> reach =
                meshes.stream().flatMap(side -> side.reach().stream()).toList();
        return prefixes.stream()
                .filter(prefix -> reach.stream().anyMatch(range -> range.contains(prefix)))
                .filter(prefix -> reach.stream().noneMatch(prefix::contains))
                .distinct()
                .toList();
    }

    private static List<InetAddress> own(WireGuardConfig file) {
        return file.addresses().stream().map(Prefix::address).toList();
    }

    private int tunnelPort() {
        return inputs.server()
                .listenPort()
                .orElseGet(() -> tunnelPorts().skip(inputs.port()).findFirst().orElseThrow());
    }

    /** Returns the candidates for the tunnel's port, without UDP ports that are published. */
    private IntStream tunnelPorts() {
        Set<Integer> others = published().stream()
                .filter(port -> port.transport() == Transport.UDP)
                .map(Published::port)
                .collect(Collectors.toSet());
        return OwnPort.candidates(inputs.server().privateKey(), ExitNodePlan.TUNNEL)
                .filter(port -> !others.contains(port));
    }

    /**
     * Returns the inputs with a port for the tunnel that is not in use.
     *
     * @throws ProblemException if all candidates are in use
     */
    public static ExitNodeInputs withFreePort(ExitNodeInputs inputs, Set<Integer> inUse) {
        int[] ports = new ExitNodePlanner(inputs).tunnelPorts().toArray();
        return IntStream.range(inputs.port(), ports.length)
                .filter(passed -> !inUse.contains(ports[passed]))
                .mapToObj(inputs::withPort)
                .findFirst()
                .orElseThrow(() -> new ProblemException(Problem.machine(
                        Place.machine(ExitNodePlan.TUNNEL),
                        "no UDP port is free for the tunnel",
                        "stop the program in this network namespace that uses all of them")));
    }

    /** Returns the ports of services. The kill switch allows the mesh's own ports in addition. */
    private List<GuardInput.Port> guardPorts() {
        return services()
                .map(it -> new GuardInput.Port(it.transport(), it.port()))
                .toList();
    }

    private void link(
            LinkIpv6 link,
            WireGuardConfig file,
            List<InetAddress> servers,
            List<Link> links,
            List<LinkAddress> addresses) {
        links.add(new Link(link.link(), link.mtu().bytes(), Ownership.ALIAS));
        link.usable(file.addresses())
                .forEach(own -> addresses.add(new LinkAddress(link.link(), OwnAddress.planned(own, servers, machine))));
    }

    /** Returns what the files ask for and the links cannot carry. */
    private List<Problem> remarks() {
        List<LinkIpv6> asked = new ArrayList<>();
        if (hasIpv6(inputs.server())) {
            boolean known =
                    tunnel.peers().stream().anyMatch(peer -> peer.endpoint().isPresent());
            // Before the server's name is resolved, the MTU may still be large enough for IPv6.
            asked.add(known ? tunnelIpv6 : tunnelIpv6(Optional.of(Family.IPV4)));
        }
        for (int i = 0; i < meshIpv6.size(); i++) {
            if (hasIpv6(inputs.meshes().get(i).file())) {
                asked.add(meshIpv6.get(i));
            }
        }
        return LinkIpv6.problems(asked);
    }

    private static boolean hasIpv6(WireGuardConfig file) {
        return file.addresses().stream().anyMatch(own -> own.family() == Family.IPV6);
    }

    private boolean isClosed(MeshSide side) {
        return meshIpv6.stream().anyMatch(link -> link.link().equals(side.link()) && !link.isCarried());
    }

    /** Returns the tunnel's routes; none in a family without a tunnel address, so that it ends in "unreachable". */
    private List<Prefix> tunnelRoutes() {
        return ExitNodeChecks.allowedIps(inputs.server()).stream()
                .filter(prefix -> carried.contains(prefix.family()))
                .toList();
    }

    private Set<Family> carried() {
        Set<Family> carried = new LinkedHashSet<>();
        tunnelIpv6.usable(inputs.server().addresses()).forEach(own -> carried.add(own.family()));
        return carried;
    }

    /** Returns the networks that this node reaches, and is reached from, outside the tunnel. */
    public static List<Prefix> lan(Settings settings, Machine machine) {
        Stream<Prefix> connected = settings.lan().connected()
                ? machine.connected().stream()
                        .filter(prefix -> PRIVATE.stream().anyMatch(range -> range.contains(prefix)))
                : Stream.empty();
        return Stream.concat(settings.lan().prefixes().stream(), connected)
                .distinct()
                .toList();
    }

    /** Returns the ports that are reachable from the uplink: services, and the mesh's own ports. */
    private List<Published> published() {
        Stream<Published> own = meshes.stream()
                .flatMapToInt(side -> side.port().stream())
                .mapToObj(port -> new Published(Transport.UDP, port));
        return Stream.concat(services(), own).distinct().toList();
    }

    /** Returns the ports that the user publishes, and those of the proxies. */
    private Stream<Published> services() {
        return Stream.of(
                        settings.published().stream().map(port -> new Published(port.transport(), port.port())),
                        inputs.socksPort().stream().mapToObj(port -> new Published(Transport.TCP, port)),
                        inputs.socksPort().isEmpty()
                                ? Stream.<Published>empty()
                                : settings.socks()
                                        .udpPorts()
                                        .ports()
                                        .mapToObj(port -> new Published(Transport.UDP, port)),
                        settings.mesh().tailscale().stream()
                                .flatMap(it -> it.proxies().stream())
                                .map(port -> new Published(port.transport(), port.port())))
                .flatMap(ports -> ports)
                .distinct();
    }

    private List<Bypass> bypasses() {
        Set<Bypass> bypasses = new LinkedHashSet<>();
        for (Holepunch entry : settings.holepunch()) {
            switch (entry) {
                case Holepunch.ToPrefix(Prefix prefix, OptionalInt port, Optional<Transport> transport) ->
                    bypass(prefix, port, transport, bypasses);
                case Holepunch.ToName(Host.Name name, int port, Optional<Transport> transport) -> {
                    for (InetAddress address : inputs.names().ofBypass(name)) {
                        bypass(Prefix.host(address), OptionalInt.of(port), transport, bypasses);
                    }
                }
            }
        }
        return List.copyOf(bypasses);
    }

    /** Adds a bypass. The kernel's rules need a protocol for a port: both are added if the entry names none. */
    private static void bypass(Prefix prefix, OptionalInt port, Optional<Transport> transport, Set<Bypass> bypasses) {
        if (port.isPresent() && transport.isEmpty()) {
            for (Transport each : Transport.values()) {
                bypasses.add(new Bypass(prefix, Optional.of(each), port));
            }
        } else {
            bypasses.add(new Bypass(prefix, transport, port));
        }
    }

    /** Returns the DNS servers in the families that the tunnel carries; public ones if there are none. */
    private List<InetAddress> dnsServers() {
        List<InetAddress> wanted =
                !settings.dns().isEmpty() ? settings.dns() : inputs.server().dnsServers();
        List<InetAddress> usable = reachable(wanted);
        return usable.isEmpty() ? reachable(PUBLIC_RESOLVERS) : usable;
    }

    /**
     * Returns the names that other DNS servers are queried for: names of the tailnet from Tailscale's own resolver, and, from the
     * runtime's resolvers, the control server's name, which is needed before the tunnel is up and may exist on the local network
     * only, and names of other containers, which no other server has.
     */
    private List<NameRoute> nameRoutes() {
        List<NameRoute> routes = new ArrayList<>();
        meshes.forEach(side -> inputs.tailnet()
                .suffix()
                .ifPresent(
                        suffix -> routes.add(new NameRoute.Through(suffix, List.of(TAILNET_RESOLVER), side.link()))));
        RuntimeResolvers runtimes = inputs.resolvers();
        control()
                .filter(_ -> !runtimes.servers().isEmpty())
                .ifPresent(name -> routes.add(new NameRoute.Exactly(name.name())));
        routes.addAll(runtimes.routes(machine.connected()));
        return routes;
    }

    private List<InetAddress> reachable(List<InetAddress> servers) {
        return servers.stream()
                .filter(server -> carried.contains(Family.of(server)))
                .toList();
    }

    private List<InetAddress> stubAddresses() {
        List<InetAddress> addresses = new ArrayList<>();
        addresses.add(Prefix.parseAddress("127.0.0.1"));
        if (machine.ipv6().loopback()) {
            addresses.add(Prefix.parseAddress("::1"));
        }
        return addresses;
    }

    /** Returns the name of Tailscale's control server, which is reached outside the tunnel and before it is up. */
    private Optional<Host.Name> control() {
        return settings.mesh().tailscale().map(it -> it.control().host()).flatMap(host -> switch (host) {
            case Host.Name name -> Optional.of(name);
            case Host.Literal _ -> Optional.empty();
        });
    }

    private Set<Host.Name> endpointNames() {
        Set<Host.Name> names = new LinkedHashSet<>();
        Stream.concat(
                        inputs.server().peers().stream().map(Peer::endpoint).flatMap(Optional::stream),
                        inputs.meshes().stream().flatMap(PlainMesh::endpoints))
                .forEach(endpoint -> {
                    if (endpoint.host() instanceof Host.Name name) {
                        names.add(name);
                    }
                });
        return names;
    }

    private Set<Host.Name> bypassNames() {
        Set<Host.Name> names = new LinkedHashSet<>();
        settings.holepunch().forEach(entry -> {
            if (entry instanceof Holepunch.ToName name) {
                names.add(name.name());
            }
        });
        return names;
    }
}
