package io.culvert.exitnode;

import io.culvert.dns.BootstrapResolver;
import io.culvert.dns.BypassResolver;
import io.culvert.dns.DnsRoute;
import io.culvert.dns.DnsStub;
import io.culvert.dns.Forbidden;
import io.culvert.dns.HostsFile;
import io.culvert.dns.OriginalSeal;
import io.culvert.dns.Patience;
import io.culvert.dns.Resolution;
import io.culvert.dns.ResolvConf;
import io.culvert.dns.ResolvConfFile;
import io.culvert.dns.ResolvConfFile.Original;
import io.culvert.dns.Upstreams;
import io.culvert.ip.Family;
import io.culvert.ip.Host;
import io.culvert.ip.Prefix;
import io.culvert.linux.Egress;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.Marks;
import io.culvert.plan.NameRoute;
import io.culvert.plan.Names;
import io.culvert.plan.RuntimeResolvers;
import io.culvert.plan.Tailnet;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.run.Journal;
import io.culvert.run.Surroundings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Names, in both directions: those that the chain itself needs, asked of the runtime's resolvers by marked sockets; and
 * everybody else's, answered by our stub through the tunnel.
 */
final class NameService implements AutoCloseable {

    private record Directions(Upstreams upstreams, List<DnsRoute> others) {}

    private static final int DNS_PORT = 53;
    private static final int MOST_PORTS = 8;

    /** Whoever answers on the local network can think of ever new answers that are to be refused. */
    private static final int MOST_REMEMBERED = 256;

    private final Journal journal;
    private final long mark;
    private final ResolvConfFile file;
    private final boolean tailscale;
    private final BooleanSupplier leftToTailscale;
    private final ResolvConf runtime;
    private final BootstrapResolver bootstrap;
    private final BypassResolver bypassResolver;
    private final NameFollower endpoints;
    private final NameFollower bypasses;
    private final DnsStub stub = new DnsStub(Patience.USUAL, System::nanoTime);
    private final Set<InetAddress> listening = new LinkedHashSet<>();
    private int port = ExitNodePlan.STUB_PORT;
    private Directions asked = new Directions(Upstreams.NONE, List.of());
    private Optional<Problem> told = Optional.empty();
    private final Set<Host.Name> unresolved = new HashSet<>();
    private final Set<Problem> reported = Collections.newSetFromMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Problem, Boolean> eldest) {
            return size() > MOST_REMEMBERED;
        }
    });
    private volatile List<Forbidden> forbidden = List.of();
    private volatile List<Forbidden> forbiddenBypasses = List.of();
    private volatile Optional<Upstreams> confirming = Optional.empty();
    private boolean tunnelWorked;
    private volatile Set<Family> families = Set.of();

    /**
     * Reads what the runtime wrote into resolv.conf and hosts, which others may write afterwards; asks and changes nothing yet.
     *
     * @param connected networks that the machine is connected to
     * @param leftToTailscale whether Tailscale serves names on this machine now, and is to write resolv.conf itself
     * @param changed is told when a name that the plan depends on has other addresses
     */
    NameService(
            Surroundings around,
            Reading reading,
            List<Prefix> connected,
            BooleanSupplier leftToTailscale,
            Runnable changed) {
        this.journal = around.journal();
        this.mark = reading.settings().mark();
        this.file = file(around, reading);
        this.tailscale = reading.settings().mesh().tailscale().isPresent();
        this.leftToTailscale = leftToTailscale;
        Original original = original(file);
        file.hold(original);
        this.runtime = resolvConf(original, connected);
        if (!original.genuine() && !original.text().isEmpty()) {
            journal.warn(
                    "names: /etc/resolv.conf was written by an earlier run, and what it keeps as the original may be forged;"
                            + " of its servers only those in local networks are asked ("
                            + runtime.all().stream()
                                    .map(server -> Prefix.text(server.getAddress()))
                                    .collect(Collectors.collectingAndThen(
                                            Collectors.joining(", "), text -> text.isEmpty() ? "none" : text))
                            + ")");
        }
        this.bootstrap = new BootstrapResolver(
                runtime,
                HostsFile.read(around.root().resolve("etc/hosts")),
                Egress.marked(mark),
                () -> families,
                Patience.BOOTSTRAP);
        this.bypassResolver =
                new BypassResolver(bootstrap, address -> RuntimeResolvers.isNear(address, connected), Patience.USUAL);
        this.endpoints = new NameFollower(this::look, changed);
        this.bypasses = new NameFollower(this::lookBypass, changed);
    }

    /** Which only we may ask. */
    RuntimeResolvers runtimeResolvers() {
        return resolvers(runtime);
    }

    Names known() {
        return new Names(endpoints.known(), bypasses.known());
    }

    /** Follows the plan's names. */
    void resolve(ExitNodePlan next) {
        boolean moved = !families.equals(next.families());
        families = next.families();
        forbidden = next.network().addresses().stream()
                .map(own -> new Forbidden(Prefix.host(own.address().address()), "it is this node's own address"))
                .toList();
        forbiddenBypasses = forbiddenBypasses(next);
        if (moved) {
            // What could not be asked before, or is of no use any more.
            lookNow();
        }
        endpoints.follow(next.endpointNames());
        bypasses.follow(next.bypassNames());
    }

    void lookNow() {
        endpoints.lookNow();
        bypasses.lookNow();
    }

    /** Servers of these names do not answer at the addresses that come first. */
    void tryOthers(Set<Host.Name> servers) {
        endpoints.tryOthers(servers);
    }

    /** From the first time that the tunnel works on, what its servers say of a bypass's name counts. */
    void tunnelWorks() {
        if (!tunnelWorked) {
            tunnelWorked = true;
            confirming = Optional.of(asked.upstreams());
            bypasses.lookNow();
        }
    }

    private List<Forbidden> forbiddenBypasses(ExitNodePlan plan) {
        List<Forbidden> all = new ArrayList<>();
        plan.network().addresses().stream()
                .map(own -> own.address().network())
                .filter(network -> !network.isDefault())
                .forEach(network -> all.add(new Forbidden(network, "it is in a network of the tunnel or the mesh")));
        plan.machine().uplinks().values().stream()
                .flatMap(uplink -> uplink.addresses().stream())
                .forEach(own -> all.add(new Forbidden(Prefix.host(own.address()), "it is this node's own address")));
        plan.meshPeers().stream()
                .filter(network -> !network.isDefault())
                .forEach(network -> all.add(new Forbidden(network, "it is in the mesh")));
        if (tailscale) {
            Tailnet.RANGES.forEach(range -> all.add(new Forbidden(range, "it is in the tailnet's range")));
        }
        return all;
    }

    /** Answers everybody's questions by the plan's servers, through the tunnel and no other way. Safe to repeat. */
    void serve(ExitNodePlan next) {
        Upstreams upstreams = throughLink(next.dnsServers(), ExitNodePlan.TUNNEL);
        List<DnsRoute> others = next.dnsRoutes().stream().map(this::route).toList();
        Directions to = new Directions(upstreams, others);
        if (!to.equals(asked)) {
            asked = to;
            stub.useUpstreams(upstreams, others);
            if (tunnelWorked) {
                confirming = Optional.of(upstreams);
            }
        }
        listen(next.stubAddresses());
        // Two that write the same file would do so for ever: ours stays beneath Tailscale's, and comes back when that
        // ends.
        Optional<Problem> problem = file.pointTo(
                next.stubAddresses(), next.tailnet().suffix().stream().toList(), leftToTailscale);
        if (!problem.equals(told)) {
            told = problem;
            problem.ifPresent(it -> journal.problems(List.of(it)));
        }
    }

    private DnsRoute route(NameRoute route) {
        return switch (route) {
            case NameRoute.Through through ->
                new DnsRoute.Below(through.suffix(), throughLink(through.servers(), through.link()));
            case NameRoute.Exactly exactly ->
                new DnsRoute.Exactly(
                        exactly.name(), new Upstreams(runtime.serversFor(exactly.name()), Egress.marked(mark)));
            case NameRoute.Containers containers ->
                new DnsRoute.Containers(containers.domain(), outside(containers.servers()));
            case NameRoute.Cluster cluster ->
                new DnsRoute.Cluster(cluster.domain(), cluster.search(), outside(cluster.servers()));
            case NameRoute.Unqualified unqualified -> new DnsRoute.Unqualified(outside(unqualified.servers()));
        };
    }

    private Upstreams outside(List<InetAddress> servers) {
        return new Upstreams(sockets(servers), Egress.marked(mark));
    }

    private static List<InetSocketAddress> sockets(List<InetAddress> servers) {
        return servers.stream()
                .map(address -> new InetSocketAddress(address, DNS_PORT))
                .toList();
    }

    private Upstreams throughLink(List<InetAddress> servers, String link) {
        return new Upstreams(
                sockets(servers), Egress.marked(Marks.withTunnel(mark).stub()).through(link));
    }

    /** Whether everybody who was answered so far still is. */
    boolean isServing() {
        return listening.stream().allMatch(stub::isServing);
    }

    /** Answers the mesh's clients too, on the mesh interface's own addresses, which must be there. */
    void serveMesh(ExitNodePlan next) {
        listen(next.meshAddresses());
    }

    /** The port that everybody's questions are to be led to. */
    int port() {
        return port;
    }

    /**
     * All addresses have the same port, as all questions are led to one. Any process of this network may have it on one of
     * them, before us or while we are not there; then all move to another.
     */
    private void listen(List<InetAddress> addresses) {
        Set<InetAddress> all = new LinkedHashSet<>(listening);
        all.addAll(addresses);
        for (int attempt = 1; ; attempt++) {
            for (InetAddress address : all) {
                if (stub.isServing(address)) {
                    continue;
                }
                try {
                    stub.listen(new InetSocketAddress(address, port));
                    listening.add(address);
                } catch (ProblemException e) {
                    if (attempt == MOST_PORTS) {
                        throw e;
                    }
                    // Where it is not the port that cannot be had, but the address, this fails too.
                    port = stub.listen(new InetSocketAddress(address, 0)).getPort();
                    listening.add(address);
                    all.stream().filter(other -> !other.equals(address)).forEach(stub::leave);
                    break;
                }
            }
            if (all.stream().allMatch(stub::isServing)) {
                return;
            }
        }
    }

    private Resolution look(Host.Name name) {
        return report(name, bootstrap.resolve(name, forbidden));
    }

    private Resolution lookBypass(Host.Name name) {
        return report(name, bypassResolver.resolve(name, forbiddenBypasses, confirming, families));
    }

    private synchronized Resolution report(Host.Name name, Resolution found) {
        if (found.fresh()) {
            if (unresolved.remove(name)) {
                journal.info(name + " resolves now");
            }
            // What was refused, once.
            journal.problems(found.problems().stream()
                    .filter(problem -> problem.kind() == Problem.Kind.WARNING && reported.add(problem))
                    .toList());
        } else if (unresolved.add(name)) {
            journal.problems(found.problems());
            if (found.addresses().isEmpty()) {
                journal.warn(name + " does not resolve; waiting for it, with the guard closed");
            }
        }
        return found;
    }

    /** The runtime's own resolvers, without starting anything. */
    static RuntimeResolvers runtimeResolvers(Surroundings around, Reading reading, List<Prefix> connected) {
        return resolvers(resolvConf(original(file(around, reading)), connected));
    }

    /** Of an original that may be forged, no server that is the internet's. */
    private static ResolvConf resolvConf(Original original, List<Prefix> connected) {
        ResolvConf all = ResolvConf.parse(original.text());
        return original.genuine()
                ? all
                : all.withServers(server -> RuntimeResolvers.isNear(server.getAddress(), connected));
    }

    private static RuntimeResolvers resolvers(ResolvConf runtime) {
        return new RuntimeResolvers(addresses(runtime.nameservers()), addresses(runtime.behind()), runtime.search());
    }

    private static List<InetAddress> addresses(List<InetSocketAddress> servers) {
        return servers.stream().map(InetSocketAddress::getAddress).toList();
    }

    /** Its resolv.conf, which Tailscale may write as well where it is the mesh. */
    private static ResolvConfFile file(Surroundings around, Reading reading) {
        ResolvConfFile file = reading.settings().mesh().tailscale().isPresent()
                ? ResolvConfFile.beneathTailscale(around.resolvConf())
                : new ResolvConfFile(around.resolvConf());
        return file.keptIn(
                around.runDirectory().resolve("resolv.conf"),
                new OriginalSeal(reading.servers().stream()
                        .map(server -> server.config().privateKey().bytes())
                        .toList()));
    }

    /** What cannot be read names nobody; that it cannot is said when it is to be written. */
    private static Original original(ResolvConfFile file) {
        try {
            return file.find();
        } catch (IOException _) {
            return new Original("", false);
        }
    }

    /** Gives resolv.conf back. */
    @Override
    public void close() {
        endpoints.close();
        bypasses.close();
        stub.close();
        file.restore().ifPresent(problem -> journal.problems(List.of(problem)));
    }
}
