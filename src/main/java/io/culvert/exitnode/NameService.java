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
 * The DNS of the exit node: resolves the names that the exit node itself needs, by bootstrap queries to the container
 * runtime's resolvers from marked sockets, and answers all other programs' queries by a stub that forwards them through
 * the tunnel.
 */
final class NameService implements AutoCloseable {

    private record Directions(Upstreams upstreams, List<DnsRoute> others) {}

    private static final int DNS_PORT = 53;
    private static final int MOST_PORTS = 8;

    /** Limits the memory that a DNS server can use by sending ever new answers that are rejected and reported. */
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
     * Reads what the container runtime wrote into resolv.conf and hosts, which other programs may write later; sends no
     * query and changes nothing yet.
     *
     * @param connected networks that the machine is connected to
     * @param leftToTailscale whether Tailscale serves names on this machine now, and is to write resolv.conf itself
     * @param changed called when the addresses of a name that the plan depends on have changed
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
            journal.warn("dns: /etc/resolv.conf was written by an earlier run, and the original saved in it cannot be"
                    + " verified; of its nameservers, only those in local networks are used ("
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

    /** Returns the container runtime's resolvers; only Culvert itself may query them. */
    RuntimeResolvers runtimeResolvers() {
        return resolvers(runtime);
    }

    Names known() {
        return new Names(endpoints.known(), bypasses.known());
    }

    /** Tracks the names of the plan. */
    void resolve(ExitNodePlan next) {
        boolean moved = !families.equals(next.families());
        families = next.families();
        forbidden = next.network().addresses().stream()
                .map(own -> new Forbidden(Prefix.host(own.address().address()), "it is this node's own address"))
                .toList();
        forbiddenBypasses = forbiddenBypasses(next);
        if (moved) {
            // Addresses of a family that could not be queried before, or that are unreachable now.
            lookNow();
        }
        endpoints.follow(next.endpointNames());
        bypasses.follow(next.bypassNames());
    }

    void lookNow() {
        endpoints.lookNow();
        bypasses.lookNow();
    }

    /** Uses the next address of each name, as the servers do not respond at the first. */
    void tryOthers(Set<Host.Name> servers) {
        endpoints.tryOthers(servers);
    }

    /** Once the tunnel has worked, confirms the addresses of bypassed names by the tunnel's DNS servers. */
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

    /** Answers all programs' DNS queries by the plan's servers, through the tunnel only. Idempotent. */
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
        // Two programs that keep the same file would overwrite each other endlessly: while Tailscale runs, its version
        // of
        // the file is left in place, and ours returns when it exits.
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

    /** Whether the stub still listens on all addresses that it has listened on so far. */
    boolean isServing() {
        return listening.stream().allMatch(stub::isServing);
    }

    /** Answers the exit-node clients' queries too, on the addresses of the mesh interface, which must exist. */
    void serveMesh(ExitNodePlan next) {
        listen(next.meshAddresses());
    }

    /** Returns the port that all DNS queries are to be redirected to. */
    int port() {
        return port;
    }

    /**
     * Listens on the same port of all addresses, as all queries are redirected to one port. Where another process of
     * the network namespace has bound that port on one of them, all move to another port.
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
                    // Fails too where it is not the port that is in use, but the address that cannot be bound.
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
                journal.info("dns: " + name + " resolved");
            }
            // Each rejected answer is reported once.
            journal.problems(found.problems().stream()
                    .filter(problem -> problem.kind() == Problem.Kind.WARNING && reported.add(problem))
                    .toList());
        } else if (unresolved.add(name)) {
            journal.problems(found.problems());
            if (found.addresses().isEmpty()) {
                journal.warn("dns: " + name + " does not resolve; retrying (the kill switch stays active)");
            }
        }
        return found;
    }

    /** Returns the container runtime's resolvers, without starting anything. */
    static RuntimeResolvers runtimeResolvers(Surroundings around, Reading reading, List<Prefix> connected) {
        return resolvers(resolvConf(original(file(around, reading)), connected));
    }

    /** Parses the original; where it cannot be verified, only its servers in local networks are used. */
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

    /** Returns the resolv.conf file, which Tailscale may write too where it is the mesh. */
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

    /** Returns the original, empty where it cannot be read; the error is reported when the file is written. */
    private static Original original(ResolvConfFile file) {
        try {
            return file.find();
        } catch (IOException _) {
            return new Original("", false);
        }
    }

    /** Restores resolv.conf. */
    @Override
    public void close() {
        endpoints.close();
        bypasses.close();
        stub.close();
        file.restore().ifPresent(problem -> journal.problems(List.of(problem)));
    }
}
