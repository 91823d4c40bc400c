package io.culvert.exitnode;

import io.culvert.ip.Prefix;
import io.culvert.network.LinkAddress;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.plan.Tailnet;
import io.culvert.process.Child;
import io.culvert.process.ChildEvent;
import io.culvert.process.ChildSpec;
import io.culvert.process.Supervisor;
import io.culvert.proxy.Dante;
import io.culvert.proxy.DanteSettings;
import io.culvert.proxy.Login;
import io.culvert.proxy.ProxyProgram;
import io.culvert.proxy.SockdFile;
import io.culvert.run.Journal;
import io.culvert.run.Surroundings;
import io.culvert.settings.PortRange;
import io.culvert.settings.Settings;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Runs the SOCKS proxy. It is started when the tunnel has its addresses, and the mesh too where the proxy listens on
 * the mesh's addresses only; and restarted when these addresses or the destinations that it must not reach change.
 */
final class Proxy implements AutoCloseable {

    private static final String NAME = "dante";
    private static final List<Prefix> LOOPBACK = List.of(Prefix.parse("127.0.0.0/8"), Prefix.parse("::1/128"));
    private static final Duration GRACE = Duration.ofSeconds(3);

    private final Settings settings;
    private final Optional<SockdFile> own;
    private final Dante dante;
    private final Journal journal;
    private Optional<Child> child = Optional.empty();
    private Optional<Start> started = Optional.empty();
    private Optional<String> awaited = Optional.empty();
    private boolean awaitsMesh;

    /**
     * What the proxy was started with; it reads its configuration only once.
     *
     * @param internal the mesh's addresses, where the proxy listens on the mesh interface
     * @param external the tunnel's addresses
     * @param settings empty where the configuration is the user's own
     */
    private record Start(List<InetAddress> internal, List<LinkAddress> external, Optional<DanteSettings> settings) {}

    /** @param own the user's own sockd.conf, validated */
    Proxy(Surroundings around, Settings settings, Optional<SockdFile> own) {
        this.settings = settings;
        this.own = own;
        this.journal = around.journal();
        this.dante = new Dante(around.root(), around.runDirectory());
    }

    /** Returns the proxy's port; empty where the proxy is disabled. */
    static OptionalInt port(Settings settings, Optional<SockdFile> own) {
        if (!settings.socks().enabled()) {
            return OptionalInt.empty();
        }
        return OptionalInt.of(own.map(SockdFile::port).orElse(settings.socks().port()));
    }

    /** Starts or restarts the proxy as planned, where it is enabled; idempotent. */
    void follow(ExitNodePlan plan, Supervisor supervisor) {
        if (!settings.socks().enabled()) {
            return;
        }
        if (listensOnTailnet() && plan.tailnet().addresses().isEmpty()) {
            if (!awaitsMesh) {
                journal.info("proxy: waiting for the tailnet's addresses, which are the only ones it listens on");
            }
            awaitsMesh = true;
            return;
        }
        awaitsMesh = false;
        Start wanted = start(plan);
        if (child.isPresent() && started.equals(Optional.of(wanted))) {
            return;
        }
        close();
        started = Optional.of(wanted);
        ProxyProgram program = own.map(dante::prepare)
                .orElseGet(() -> dante.prepare(wanted.settings().orElseThrow()));
        awaited = program.readyText();
        child = Optional.of(supervisor.start(new ChildSpec(
                NAME, program.program(), program.args(), program.environment(), program.privileges(), GRACE)));
    }

    /** Handles an event of a child process: notices the line by which the proxy reports that it accepts clients. */
    void heard(ChildEvent what) {
        if (what instanceof ChildEvent.Said(String name, String line)
                && name.equals(NAME)
                && awaited.filter(line::contains).isPresent()) {
            awaited = Optional.empty();
        }
    }

    /** Whether the proxy has reported that it accepts clients, or is disabled. */
    boolean isReady() {
        return awaited.isEmpty() && !awaitsMesh;
    }

    /**
     * Whether it listens on Tailscale's interface, which exists only while Tailscale runs and has addresses only after
     * login.
     */
    private boolean listensOnTailnet() {
        return settings.mesh()
                .tailscale()
                .filter(tailscale -> own.filter(file -> file.internals().contains(tailscale.link()))
                        .isPresent())
                .isPresent();
    }

    private Start start(ExitNodePlan plan) {
        return new Start(
                listensOnTailnet() ? plan.tailnet().addresses() : List.of(),
                plan.tunnelNetwork().addresses(),
                own.isPresent() ? Optional.empty() : Optional.of(usual(plan)));
    }

    private DanteSettings usual(ExitNodePlan plan) {
        List<Prefix> lan = ExitNodePlanner.lan(settings, plan.machine());
        List<Prefix> tailnet = settings.mesh().tailscale().isPresent() ? Tailnet.RANGES : List.of();
        List<Prefix> near = Stream.of(lan, tailnet, plan.meshPeers(), LOOPBACK)
                .flatMap(List::stream)
                .distinct()
                .toList();
        return new DanteSettings(
                settings.socks().port(),
                ExitNodePlan.TUNNEL,
                plan.machine().ipv6().anywhere(),
                Stream.of(settings.socks().allow(), plan.meshPeers(), tailnet)
                        .flatMap(List::stream)
                        .distinct()
                        .toList(),
                Stream.of(
                                lan,
                                tailnet,
                                plan.network().addresses().stream()
                                        .map(it -> Prefix.host(it.address().address()))
                                        .toList())
                        .flatMap(List::stream)
                        .distinct()
                        .toList(),
                near,
                Optional.of(settings.socks().udpPorts())
                        .filter(ports -> !ports.isEmpty())
                        .map(PortRange::toString),
                settings.socks()
                        .login()
                        .map(it -> new Login(it.user(), it.password().text())));
    }

    @Override
    public void close() {
        child.ifPresent(Child::stop);
        child = Optional.empty();
        started.flatMap(Start::settings)
                .flatMap(dante::forget)
                .ifPresent(problem -> journal.problems(List.of(problem)));
        started = Optional.empty();
    }
}
