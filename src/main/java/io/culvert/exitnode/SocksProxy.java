// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Log;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.plan.Tailnet;
import io.culvert.process.Child;
import io.culvert.process.ChildEvent;
import io.culvert.process.ChildSpec;
import io.culvert.process.Supervisor;
import io.culvert.rtnl.LinkAddress;
import io.culvert.runtime.Environment;
import io.culvert.settings.PortRange;
import io.culvert.settings.Settings;
import io.culvert.socks.Dante;
import io.culvert.socks.DanteSettings;
import io.culvert.socks.ProxyProgram;
import io.culvert.socks.SockdFile;
import io.culvert.socks.SocksHandshake;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Runs the SOCKS proxy. It is started when the tunnel has its addresses, and the mesh too where the proxy listens on
 * the mesh's addresses only; and restarted when its configuration, these addresses or the destinations that it must not reach
 * change.
 */
final class SocksProxy implements AutoCloseable {

    private static final String NAME = "dante";
    private static final List<Prefix> LOOPBACK =
            SpecialRange.prefixes(SpecialRange.LOOPBACK_IPV4, SpecialRange.LOOPBACK_IPV6);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(3);

    private Settings settings;
    private Optional<SockdFile> userFile;
    private final Dante dante;
    private final Log log;
    private volatile Optional<Child> child = Optional.empty();
    private Optional<StartParameters> started = Optional.empty();

    /** Where the proxy is asked whether it responds; empty where it does not listen on loopback, or not yet. */
    private volatile Optional<InetSocketAddress> probed = Optional.empty();

    private Optional<String> awaitedReadyText = Optional.empty();
    private boolean waitsForTailnet;

    /**
     * What the proxy was started with; it reads its configuration only once.
     *
     * @param internal the mesh's addresses, where the proxy listens on the mesh interface
     * @param external the tunnel's addresses
     * @param settings empty where the configuration is the user's own
     * @param userFile the user's own configuration
     */
    private record StartParameters(
            List<InetAddress> internal,
            List<LinkAddress> external,
            Optional<DanteSettings> settings,
            Optional<SockdFile> userFile) {}

    /** @param userFile the user's own sockd.conf, validated */
    SocksProxy(Environment environment, Settings settings, Optional<SockdFile> userFile) {
        this.settings = settings;
        this.userFile = userFile;
        this.log = environment.log();
        this.dante = new Dante(environment.root(), environment.runDirectory());
    }

    /** Uses a changed configuration, from the next {@link #apply} on. */
    void setConfiguration(LoadedConfiguration configuration) {
        settings = configuration.settings();
        userFile = configuration.sockd();
    }

    /** Returns the proxy's port; empty where the proxy is disabled. */
    static OptionalInt port(Settings settings, Optional<SockdFile> userFile) {
        if (!settings.socks().enabled()) {
            return OptionalInt.empty();
        }
        return OptionalInt.of(
                userFile.map(SockdFile::port).orElse(settings.socks().port()));
    }

    /** Starts, restarts or stops the proxy as planned; idempotent. */
    void apply(ExitNodePlan plan, Supervisor supervisor) {
        if (!settings.socks().enabled()) {
            waitsForTailnet = false;
            close();
            return;
        }
        if (listensOnTailnet() && plan.tailnet().addresses().isEmpty()) {
            if (!waitsForTailnet) {
                log.info("proxy: waiting for the tailnet's addresses, which are the only ones it listens on");
            }
            waitsForTailnet = true;
            return;
        }
        waitsForTailnet = false;
        StartParameters parameters = startParameters(plan);
        if (child.isPresent() && started.equals(Optional.of(parameters))) {
            return;
        }
        close();
        started = Optional.of(parameters);
        ProxyProgram program = userFile.map(dante::prepare)
                .orElseGet(() -> dante.prepare(parameters.settings().orElseThrow()));
        awaitedReadyText = program.readyText();
        probed = Optional.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), program.port()));
        child = Optional.of(supervisor.start(new ChildSpec(
                NAME, program.program(), program.args(), program.environment(), program.privileges(), STOP_TIMEOUT)));
    }

    /** Handles an event of a child process: notices the line by which the proxy reports that it accepts clients. */
    void handle(ChildEvent event) {
        if (event instanceof ChildEvent.OutputLine(String name, String line)
                && name.equals(NAME)
                && awaitedReadyText.filter(line::contains).isPresent()) {
            awaitedReadyText = Optional.empty();
        }
    }

    /**
     * Checks that the proxy responds to a client on loopback. One that does not listen there, by its own configuration
     * or because it is being started, is not checked.
     *
     * @throws IOException if it has accepted the connection and does not respond
     */
    void checkResponds(Duration timeout) throws IOException {
        Optional<InetSocketAddress> address = probed;
        if (address.isPresent()) {
            SocksHandshake.check(address.get(), timeout);
        }
    }

    /** Kills a proxy that hangs; it is restarted. */
    void kill() {
        child.ifPresent(Child::kill);
    }

    /** Whether the proxy has reported that it accepts clients, or is disabled. */
    boolean isReady() {
        return awaitedReadyText.isEmpty() && !waitsForTailnet;
    }

    /**
     * Whether it listens on Tailscale's interface, which exists only while Tailscale runs and has addresses only after
     * login.
     */
    private boolean listensOnTailnet() {
        return settings.mesh()
                .tailscale()
                .filter(tailscale -> userFile.filter(file -> file.internals().contains(tailscale.interfaceName()))
                        .isPresent())
                .isPresent();
    }

    private StartParameters startParameters(ExitNodePlan plan) {
        return new StartParameters(
                listensOnTailnet() ? plan.tailnet().addresses() : List.of(),
                plan.tunnelNetwork().addresses(),
                userFile.isPresent() ? Optional.empty() : Optional.of(danteSettings(plan)),
                userFile);
    }

    private DanteSettings danteSettings(ExitNodePlan plan) {
        List<Prefix> lan = ExitNodePlanner.lan(settings, plan.machine());
        List<Prefix> tailnet = settings.mesh().tailscale().isPresent() ? Tailnet.RANGES : List.of();
        List<Prefix> near = Stream.of(lan, tailnet, plan.meshPeers(), LOOPBACK)
                .flatMap(List::stream)
                .distinct()
                .toList();
        return new DanteSettings(
                settings.socks().port(),
                plan.identity().link(),
                plan.machine().ipv6().isEnabledAnywhere(),
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
                settings.socks().login());
    }

    @Override
    public void close() {
        probed = Optional.empty();
        child.ifPresent(Child::stop);
        child = Optional.empty();
        awaitedReadyText = Optional.empty();
        started.flatMap(StartParameters::settings)
                .flatMap(dante::cleanUp)
                .ifPresent(problem -> log.problems(List.of(problem)));
        started = Optional.empty();
    }
}
