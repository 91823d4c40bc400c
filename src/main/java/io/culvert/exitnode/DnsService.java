// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.dns.BootstrapResolver;
import io.culvert.dns.BypassResolver;
import io.culvert.dns.DnsRoute;
import io.culvert.dns.DnsStub;
import io.culvert.dns.ForbiddenAddresses;
import io.culvert.dns.HostsFile;
import io.culvert.dns.NameTracker;
import io.culvert.dns.ResolutionResult;
import io.culvert.dns.ResolvConf;
import io.culvert.dns.ResolvConfFile;
import io.culvert.dns.ResolvConfFile.Original;
import io.culvert.dns.ResolvConfHmac;
import io.culvert.dns.Timeouts;
import io.culvert.dns.TrackingPolicy;
import io.culvert.dns.Upstreams;
import io.culvert.linux.Egress;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Marks;
import io.culvert.net.Prefix;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ResolvedNames;
import io.culvert.plan.RuntimeResolvers;
import io.culvert.plan.Tailnet;
import io.culvert.runtime.Environment;
import io.culvert.runtime.OperatingSystem;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
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
final class DnsService implements AutoCloseable {

    private record Forwarding(Upstreams upstreams, List<DnsRoute> others) {}

    private static final int MAX_PORT_ATTEMPTS = 8;

    /** Limits the memory that a DNS server can use by sending ever new responses that are rejected and reported. */
    private static final int MAX_REPORTED = 256;

    private final Environment environment;
    private final Log log;
    private final Marks marks;
    private final Original original;
    private ResolvConfFile file;
    private final boolean tailscale;
    private final BooleanSupplier tailscaleWritesResolvConf;
    private final ResolvConf runtime;
    private final BootstrapResolver bootstrap;
    private final BypassResolver bypassResolver;
    private final NameTracker endpoints;
    private final NameTracker bypasses;
    private final DnsStub stub;
    private final Set<InetAddress> listenAddresses = new LinkedHashSet<>();
    private Set<InetAddress> stubAddresses = Set.of();
    private int port = ExitNodePlan.STUB_PORT;

    /** Where the stub is asked whether it responds. */
    private volatile Optional<InetSocketAddress> probed = Optional.empty();

    private Forwarding forwarding = new Forwarding(Upstreams.NONE, List.of());
    private Optional<Problem> reportedFileProblem = Optional.empty();
    private final Set<Host.Name> unresolved = new HashSet<>();
    private final Set<Problem> reported = Collections.newSetFromMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Problem, Boolean> eldest) {
            return size() > MAX_REPORTED;
        }
    });
    private volatile List<ForbiddenAddresses> forbidden = List.of();
    private volatile List<ForbiddenAddresses> forbiddenBypasses = List.of();
    private volatile Optional<Upstreams> confirmingUpstreams = Optional.empty();
    private boolean wasConnected;
    private volatile Set<Family> families = Set.of();

    /**
     * Reads what the container runtime wrote into resolv.conf and hosts, which other programs may write later; sends no
     * query and changes nothing yet.
     *
     * @param connected networks that the machine is connected to
     * @param tailscaleWritesResolvConf whether Tailscale serves names on this machine now, and is to write resolv.conf
     *     itself
     * @param changed called when the addresses of a name that the plan depends on have changed
     */
    DnsService(
            Environment environment,
            LoadedConfiguration configuration,
            List<Prefix> connected,
            BooleanSupplier tailscaleWritesResolvConf,
            Runnable changed) {
        OperatingSystem system = environment.system();
        this.environment = environment;
        this.log = environment.log();
        this.stub = new DnsStub(Timeouts.DEFAULT, system.threads()::nanoTime, system.stubSockets());
        this.marks = configuration.identity().marks();
        this.file = file(environment, configuration);
        this.tailscale = configuration.settings().mesh().tailscale().isPresent();
        this.tailscaleWritesResolvConf = tailscaleWritesResolvConf;
        this.original = original(file);
        file.setOriginal(original);
        this.runtime = resolvConf(original, connected);
        if (!original.authentic() && !original.text().isEmpty()) {
            log.warn("dns: /etc/resolv.conf was written by an earlier run, and the original saved in it cannot be"
                    + " verified; of its nameservers, only those in local networks are used ("
                    + runtime.servers().stream()
                            .map(server -> Prefix.text(server.getAddress()))
                            .collect(Collectors.collectingAndThen(
                                    Collectors.joining(", "), text -> text.isEmpty() ? "none" : text))
                    + ")");
        }
        this.bootstrap = new BootstrapResolver(
                runtime,
                HostsFile.read(environment.root().resolve("etc/hosts")),
                Egress.marked(marks.tunnel()),
                () -> families,
                Timeouts.BOOTSTRAP);
        this.bypassResolver = new BypassResolver(
                bootstrap, address -> RuntimeResolvers.isLocal(address, connected), Timeouts.DEFAULT);
        this.endpoints = new NameTracker(this::resolveEndpoint, TrackingPolicy.BY_TTL, changed, system.threads());
        this.bypasses = new NameTracker(this::resolveBypass, TrackingPolicy.BY_TTL, changed, system.threads());
    }

    /** Authenticates resolv.conf by the keys of a changed configuration, from the next {@link #serve} on. */
    void setConfiguration(LoadedConfiguration configuration) {
        file = file(environment, configuration);
        file.setOriginal(original);
    }

    /** Returns the container runtime's resolvers; only Culvert itself may query them. */
    RuntimeResolvers runtimeResolvers() {
        return resolvers(runtime);
    }

    ResolvedNames resolvedNames() {
        return new ResolvedNames(endpoints.addressesByName(), bypasses.addressesByName());
    }

    /** Tracks the names of the plan. */
    void trackNames(ExitNodePlan next) {
        boolean familiesChanged = !families.equals(next.families());
        families = next.families();
        forbidden = next.network().addresses().stream()
                .map(linkAddress -> new ForbiddenAddresses(
                        Prefix.host(linkAddress.address().address()), "it is this node's own address"))
                .toList();
        forbiddenBypasses = forbiddenBypasses(next);
        if (familiesChanged) {
            // Addresses of a family that could not be queried before, or that are unreachable now.
            checkNow();
        }
        endpoints.track(next.endpointNames());
        bypasses.track(next.bypassNames());
    }

    void checkNow() {
        endpoints.checkNow();
        bypasses.checkNow();
    }

    /** Uses the next address of each name, as the servers do not respond at the first. */
    void useNextAddresses(Set<Host.Name> servers) {
        endpoints.useNextAddresses(servers);
    }

    /** Once the tunnel has worked, confirms the addresses of bypassed names by the tunnel's DNS servers. */
    void tunnelConnected() {
        if (!wasConnected) {
            wasConnected = true;
            confirmingUpstreams = Optional.of(forwarding.upstreams());
            bypasses.checkNow();
        }
    }

    private List<ForbiddenAddresses> forbiddenBypasses(ExitNodePlan plan) {
        List<ForbiddenAddresses> all = new ArrayList<>();
        plan.network().addresses().stream()
                .map(linkAddress -> linkAddress.address().network())
                .filter(network -> !network.isDefault())
                .forEach(network ->
                        all.add(new ForbiddenAddresses(network, "it is in a network of the tunnel or the mesh")));
        plan.machine().uplinks().values().stream()
                .flatMap(uplink -> uplink.addresses().stream())
                .forEach(linkAddress -> all.add(
                        new ForbiddenAddresses(Prefix.host(linkAddress.address()), "it is this node's own address")));
        plan.meshPeers().stream()
                .filter(network -> !network.isDefault())
                .forEach(network -> all.add(new ForbiddenAddresses(network, "it is in the mesh")));
        if (tailscale) {
            Tailnet.RANGES.forEach(range -> all.add(new ForbiddenAddresses(range, "it is in the tailnet's range")));
        }
        return all;
    }

    /** Forwards all programs' DNS queries to the plan's servers, through the tunnel only. Idempotent. */
    void serve(ExitNodePlan next) {
        Upstreams upstreams = Upstreams.of(
                next.dns().servers(),
                Egress.marked(marks.stub()).boundTo(next.identity().link()));
        Forwarding newForwarding = new Forwarding(upstreams, next.dns().routes());
        if (!newForwarding.equals(forwarding)) {
            forwarding = newForwarding;
            stub.useUpstreams(upstreams, next.dns().routes());
            if (wasConnected) {
                confirmingUpstreams = Optional.of(upstreams);
            }
        }
        stubAddresses = Set.copyOf(next.dns().stubAddresses());
        listen(next.dns().stubAddresses());
        // Two programs that keep the same file would overwrite each other endlessly: while Tailscale runs, its version
        // of the file is left in place, and Culvert's version returns when it exits.
        Optional<Problem> problem = file.setNameservers(
                next.dns().stubAddresses(), next.tailnet().suffix().stream().toList(), tailscaleWritesResolvConf);
        if (!problem.equals(reportedFileProblem)) {
            reportedFileProblem = problem;
            problem.ifPresent(it -> log.problems(List.of(it)));
        }
    }

    /** Checks, on any thread, that the stub responds to a query on loopback. */
    void checkResponds(Duration timeout) throws IOException {
        Optional<InetSocketAddress> address = probed;
        if (address.isPresent()) {
            DnsStub.checkResponds(address.get(), timeout);
        }
    }

    /** Stops listening; {@link #isListening} is false until {@link #serve} has listened again. */
    void stopListening() {
        listenAddresses.forEach(stub::stopListening);
    }

    /** Whether the stub still listens on all addresses that it has to listen on. */
    boolean isListening() {
        return listenAddresses.stream().allMatch(stub::isListening);
    }

    /** Serves clients' queries too, on the addresses of the mesh interface, which must exist, and of uplinks. */
    void serveClients(ExitNodePlan next) {
        listenAddresses.removeIf(address -> {
            boolean gone = !stubAddresses.contains(address)
                    && !next.clientDnsAddresses().contains(address);
            if (gone) {
                stub.stopListening(address);
            }
            return gone;
        });
        listen(next.clientDnsAddresses());
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
        Set<InetAddress> all = new LinkedHashSet<>(listenAddresses);
        all.addAll(addresses);
        for (int attempt = 1; ; attempt++) {
            for (InetAddress address : all) {
                if (stub.isListening(address)) {
                    continue;
                }
                try {
                    stub.listen(new InetSocketAddress(address, port));
                    listenAddresses.add(address);
                } catch (ProblemException e) {
                    if (attempt == MAX_PORT_ATTEMPTS) {
                        throw e;
                    }
                    // Fails too where it is not the port that is in use, but the address that cannot be bound.
                    port = stub.listen(new InetSocketAddress(address, 0)).getPort();
                    listenAddresses.add(address);
                    all.stream().filter(other -> !other.equals(address)).forEach(stub::stopListening);
                    break;
                }
            }
            if (all.stream().allMatch(stub::isListening)) {
                probed = all.stream()
                        .filter(InetAddress::isLoopbackAddress)
                        .findFirst()
                        .map(address -> new InetSocketAddress(address, port));
                return;
            }
        }
    }

    private ResolutionResult resolveEndpoint(Host.Name name) {
        return report(name, bootstrap.resolve(name, forbidden));
    }

    private ResolutionResult resolveBypass(Host.Name name) {
        return report(name, bypassResolver.resolve(name, forbiddenBypasses, confirmingUpstreams, families));
    }

    private synchronized ResolutionResult report(Host.Name name, ResolutionResult result) {
        if (result.fresh()) {
            if (unresolved.remove(name)) {
                log.info("dns: " + name + " resolved");
            }
            // Each rejected response is reported once.
            log.problems(result.problems().stream()
                    .filter(problem -> problem.kind() == Problem.Kind.WARNING && reported.add(problem))
                    .toList());
        } else if (unresolved.add(name)) {
            log.problems(result.problems());
            if (result.addresses().isEmpty()) {
                log.warn("dns: " + name + " does not resolve; retrying (the kill switch stays active)");
            }
        }
        return result;
    }

    /** Returns the container runtime's resolvers, without starting anything. */
    static RuntimeResolvers runtimeResolvers(
            Environment environment, LoadedConfiguration configuration, List<Prefix> connected) {
        return resolvers(resolvConf(original(file(environment, configuration)), connected));
    }

    /** Parses the original; where it cannot be verified, only its servers in local networks are used. */
    private static ResolvConf resolvConf(Original original, List<Prefix> connected) {
        ResolvConf all = ResolvConf.parse(original.text());
        return original.authentic()
                ? all
                : all.withServers(server -> RuntimeResolvers.isLocal(server.getAddress(), connected));
    }

    private static RuntimeResolvers resolvers(ResolvConf runtime) {
        return new RuntimeResolvers(
                addresses(runtime.nameservers()), addresses(runtime.dockerUpstreams()), runtime.search());
    }

    private static List<InetAddress> addresses(List<InetSocketAddress> servers) {
        return servers.stream().map(InetSocketAddress::getAddress).toList();
    }

    /** Returns the resolv.conf file, which Tailscale may write too where it is the mesh. */
    private static ResolvConfFile file(Environment environment, LoadedConfiguration configuration) {
        ResolvConfFile file = configuration.settings().mesh().tailscale().isPresent()
                ? ResolvConfFile.sharedWithTailscale(environment.resolvConf())
                : new ResolvConfFile(environment.resolvConf());
        return file.withBackup(
                environment.runDirectory().resolve("resolv.conf"),
                new ResolvConfHmac(configuration.servers().stream()
                        .map(server -> server.config().privateKey().bytes())
                        .toList()));
    }

    /** Returns the original, empty where it cannot be read; the error is reported when the file is written. */
    private static Original original(ResolvConfFile file) {
        try {
            return file.findOriginal();
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
        file.restore().ifPresent(problem -> log.problems(List.of(problem)));
    }
}
