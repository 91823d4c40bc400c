package io.culvert.exitnode;

import io.culvert.dns.BootstrapResolver;
import io.culvert.dns.DnsRoute;
import io.culvert.dns.DnsStub;
import io.culvert.dns.Forbidden;
import io.culvert.dns.Patience;
import io.culvert.dns.Resolution;
import io.culvert.dns.ResolvConf;
import io.culvert.dns.ResolvConfFile;
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
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.run.Journal;
import io.culvert.run.Surroundings;
import io.culvert.settings.Settings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Names, in both directions: those that the chain itself needs, asked of the runtime's resolvers by marked sockets; and
 * everybody else's, answered by our stub through the tunnel.
 */
final class NameService implements AutoCloseable {

    private record Directions(Upstreams upstreams, List<DnsRoute> others) {}

    private static final int DNS_PORT = 53;

    private final Journal journal;
    private final long mark;
    private final ResolvConfFile file;
    private final BooleanSupplier leftToTailscale;
    private final ResolvConf runtime;
    private final BootstrapResolver bootstrap;
    private final NameFollower follower;
    private final DnsStub stub = new DnsStub(Patience.USUAL, System::nanoTime);
    private final Set<InetAddress> listening = new HashSet<>();
    private Directions asked = new Directions(Upstreams.NONE, List.of());
    private Optional<Problem> told = Optional.empty();
    private final Set<Host.Name> unresolved = new HashSet<>();
    private volatile List<Forbidden> forbidden = List.of();
    private volatile Set<Family> families = Set.of();

    /**
     * Reads what the runtime wrote into resolv.conf; asks and changes nothing yet.
     *
     * @param mark of sockets that the guard lets out
     * @param file resolv.conf
     * @param leftToTailscale whether Tailscale serves names on this machine now, and is to write resolv.conf itself
     * @param changed is told when a name that the plan depends on has other addresses
     */
    NameService(
            Surroundings around, long mark, ResolvConfFile file, BooleanSupplier leftToTailscale, Runnable changed) {
        this.journal = around.journal();
        this.mark = mark;
        this.file = file;
        this.leftToTailscale = leftToTailscale;
        this.runtime = ResolvConf.parse(original(file, around));
        this.bootstrap = new BootstrapResolver(
                runtime, around.root().resolve("etc/hosts"), Egress.marked(mark), () -> families, Patience.USUAL);
        this.follower = new NameFollower(this::look, changed);
    }

    /** Which only we may ask. */
    RuntimeResolvers runtimeResolvers() {
        return resolvers(runtime);
    }

    Names known() {
        return follower.names();
    }

    /** Follows the plan's names. */
    void resolve(ExitNodePlan next) {
        boolean moved = !families.equals(next.families());
        families = next.families();
        forbidden = next.network().addresses().stream()
                .map(own -> new Forbidden(Prefix.host(own.address().address()), "it is this node's own address"))
                .toList();
        if (moved) {
            // What could not be asked before, or is of no use any more.
            follower.lookNow();
        }
        follower.follow(next.names());
    }

    void lookNow() {
        follower.lookNow();
    }

    /** Answers everybody's questions by the plan's servers, through the tunnel and no other way. Safe to repeat. */
    void serve(ExitNodePlan next) {
        Upstreams upstreams = throughLink(next.dnsServers(), ExitNodePlan.TUNNEL);
        List<DnsRoute> others = next.dnsRoutes().stream().map(this::route).toList();
        Directions to = new Directions(upstreams, others);
        if (!to.equals(asked)) {
            asked = to;
            stub.useUpstreams(upstreams, others);
        }
        listen(next.stubAddresses());
        Optional<Problem> problem = isLeftToTailscale()
                ? Optional.empty()
                : file.pointTo(
                        next.stubAddresses(), next.tailnet().suffix().stream().toList());
        if (!problem.equals(told)) {
            told = problem;
            problem.ifPresent(it -> journal.problems(List.of(it)));
        }
    }

    /** Two that write the same file would do so for ever: ours stays beneath Tailscale's, and comes back when that ends. */
    private boolean isLeftToTailscale() {
        try {
            return leftToTailscale.getAsBoolean() && file.isKnown();
        } catch (IOException _) {
            return false; // To write it says why it cannot be read.
        }
    }

    private DnsRoute route(NameRoute route) {
        return switch (route) {
            case NameRoute.Through through ->
                new DnsRoute.Below(through.suffix(), throughLink(through.servers(), through.link()));
            case NameRoute.Beside beside ->
                new DnsRoute.Below(beside.suffix(), beside(runtime.serversFor(beside.suffix())));
            case NameRoute.Unqualified _ -> new DnsRoute.Unqualified(beside(runtime.nameservers()));
        };
    }

    private Upstreams beside(List<InetSocketAddress> servers) {
        return new Upstreams(servers, Egress.marked(mark));
    }

    private Upstreams throughLink(List<InetAddress> servers, String link) {
        return new Upstreams(
                servers.stream()
                        .map(address -> new InetSocketAddress(address, DNS_PORT))
                        .toList(),
                Egress.marked(Marks.withTunnel(mark).stub()).through(link));
    }

    /** Whether everybody who was answered so far still is. */
    boolean isServing() {
        return listening.stream().allMatch(stub::isServing);
    }

    /** Answers the mesh's clients too, on the mesh interface's own addresses, which must be there. */
    void serveMesh(ExitNodePlan next) {
        listen(next.meshAddresses());
    }

    private void listen(List<InetAddress> addresses) {
        for (InetAddress address : addresses) {
            if (!stub.isServing(address)) {
                stub.listen(new InetSocketAddress(address, ExitNodePlan.STUB_PORT));
                listening.add(address);
            }
        }
    }

    private Resolution look(Host.Name name) {
        Resolution found = bootstrap.resolve(name, forbidden);
        if (found.fresh()) {
            if (unresolved.remove(name)) {
                journal.info(name + " resolves now");
            }
        } else if (unresolved.add(name)) {
            journal.problems(found.problems());
            if (found.addresses().isEmpty()) {
                journal.warn(name + " does not resolve; waiting for it, with the guard closed");
            }
        }
        return found;
    }

    /** The runtime's own resolvers, without starting anything. */
    static RuntimeResolvers runtimeResolvers(Surroundings around, Settings settings) {
        return resolvers(ResolvConf.parse(original(file(around, settings), around)));
    }

    private static RuntimeResolvers resolvers(ResolvConf runtime) {
        return new RuntimeResolvers(
                runtime.all().stream().map(InetSocketAddress::getAddress).toList(), runtime.search());
    }

    /** Its resolv.conf, which Tailscale may write as well where it is the mesh. */
    static ResolvConfFile file(Surroundings around, Settings settings) {
        return settings.mesh().tailscale().isPresent()
                ? ResolvConfFile.beneathTailscale(around.resolvConf())
                : new ResolvConfFile(around.resolvConf());
    }

    private static String original(ResolvConfFile file, Surroundings around) {
        try {
            return file.original();
        } catch (IOException e) {
            throw new ProblemException(Problem.machine(
                    Place.file(around.resolvConf()), "cannot be read: " + e.getMessage(), "make it readable"));
        }
    }

    /** Gives resolv.conf back. */
    @Override
    public void close() {
        follower.close();
        stub.close();
        file.restore().ifPresent(problem -> journal.problems(List.of(problem)));
    }
}
