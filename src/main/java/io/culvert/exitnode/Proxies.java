// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.plan.Tailnet;
import io.culvert.process.ChildEvent;
import io.culvert.process.Supervisor;
import io.culvert.proxies.Dante;
import io.culvert.proxies.DanteSettings;
import io.culvert.proxies.ProxyProtocol;
import io.culvert.proxies.SockdFile;
import io.culvert.proxies.Tinyproxy;
import io.culvert.proxies.TinyproxySettings;
import io.culvert.rtnl.LinkAddress;
import io.culvert.runtime.Environment;
import io.culvert.settings.PortRange;
import io.culvert.settings.Settings;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Runs the SOCKS proxy and the HTTP proxy. They are started when the tunnel has its addresses, and the mesh too where a
 * proxy listens on the mesh's addresses only; and restarted when their configuration, these addresses or the destinations that
 * they must not reach change.
 */
final class Proxies implements AutoCloseable {

    private static final List<Prefix> LOOPBACK =
            SpecialRange.prefixes(SpecialRange.LOOPBACK_IPV4, SpecialRange.LOOPBACK_IPV6);

    private Settings settings;
    private Optional<SockdFile> userFile;
    private final Log log;
    private final ProxyServer<SocksParameters> socks;
    private final ProxyServer<TinyproxySettings> http;
    private boolean waitsForTailnet;

    /**
     * What the SOCKS proxy is started with.
     *
     * @param internal the mesh's addresses, where the proxy listens on the mesh interface
     * @param external the tunnel's addresses
     * @param settings empty where the configuration is the user's own
     * @param userFile the user's own configuration
     */
    private record SocksParameters(
            List<InetAddress> internal,
            List<LinkAddress> external,
            Optional<DanteSettings> settings,
            Optional<SockdFile> userFile) {}

    /** @param userFile the user's own sockd.conf, validated */
    Proxies(Environment environment, Settings settings, Optional<SockdFile> userFile) {
        this.settings = settings;
        this.userFile = userFile;
        this.log = environment.log();
        Dante dante = new Dante(environment.root(), environment.runDirectory());
        this.socks = new ProxyServer<>(
                "dante",
                ProxyProtocol.SOCKS,
                parameters -> parameters
                        .userFile()
                        .map(dante::prepare)
                        .orElseGet(() -> dante.prepare(parameters.settings().orElseThrow())),
                parameters -> parameters
                        .settings()
                        .flatMap(dante::cleanUp)
                        .ifPresent(problem -> log.problems(List.of(problem))));
        this.http = new ProxyServer<>(
                "tinyproxy",
                ProxyProtocol.HTTP,
                new Tinyproxy(environment.root(), environment.runDirectory())::prepare,
                _ -> {});
    }

    /** Uses a changed configuration, from the next {@link #apply} on. */
    void setConfiguration(LoadedConfiguration configuration) {
        settings = configuration.settings();
        userFile = configuration.sockd();
    }

    /** Returns the SOCKS proxy's port; empty where it is disabled. */
    static OptionalInt socksPort(Settings settings, Optional<SockdFile> userFile) {
        if (!settings.socks().enabled()) {
            return OptionalInt.empty();
        }
        return OptionalInt.of(
                userFile.map(SockdFile::port).orElse(settings.socks().port()));
    }

    /** Returns the unmet requirements that the programs of the enabled proxies are installed. */
    static List<Problem> missingPrograms(Environment environment, Settings settings) {
        List<Problem> problems = new ArrayList<>();
        if (settings.socks().enabled()) {
            new Dante(environment.root(), environment.runDirectory())
                    .missingProgram()
                    .ifPresent(problems::add);
        }
        if (settings.httpProxy().isPresent()) {
            new Tinyproxy(environment.root(), environment.runDirectory())
                    .missingProgram()
                    .ifPresent(problems::add);
        }
        return problems;
    }

    /** Returns the servers, running or not. */
    List<ProxyServer<?>> servers() {
        return List.of(socks, http);
    }

    /** Starts, restarts or stops the proxies as planned; idempotent. */
    void apply(ExitNodePlan plan, Supervisor supervisor) {
        applySocks(plan, supervisor);
        List<InetAddress> tunnelAddresses = plan.tunnelNetwork().addresses().stream()
                .map(it -> it.address().address())
                .toList();
        if (settings.httpProxy().isPresent() && !tunnelAddresses.isEmpty()) {
            http.run(
                    new TinyproxySettings(
                            settings.httpProxy().getAsInt(),
                            tunnelAddresses,
                            clients(plan),
                            settings.socks().login()),
                    supervisor);
        } else {
            http.close();
        }
    }

    private void applySocks(ExitNodePlan plan, Supervisor supervisor) {
        if (!settings.socks().enabled()) {
            waitsForTailnet = false;
            socks.close();
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
        socks.run(socksParameters(plan), supervisor);
    }

    /** Handles an event of a child process. */
    void handle(ChildEvent event) {
        servers().forEach(server -> server.handle(event));
    }

    /** Whether all proxies have reported that they accept clients, or are disabled. */
    boolean isReady() {
        return !waitsForTailnet && servers().stream().allMatch(ProxyServer::isReady);
    }

    /**
     * Whether the SOCKS proxy listens on Tailscale's interface, which exists only while Tailscale runs and has addresses only
     * after login.
     */
    private boolean listensOnTailnet() {
        return settings.mesh()
                .tailscale()
                .filter(tailscale -> userFile.filter(file -> file.internals().contains(tailscale.interfaceName()))
                        .isPresent())
                .isPresent();
    }

    private SocksParameters socksParameters(ExitNodePlan plan) {
        return new SocksParameters(
                listensOnTailnet() ? plan.tailnet().addresses() : List.of(),
                plan.tunnelNetwork().addresses(),
                userFile.isPresent() ? Optional.empty() : Optional.of(danteSettings(plan)),
                userFile);
    }

    private DanteSettings danteSettings(ExitNodePlan plan) {
        List<Prefix> lan = ExitNodePlanner.lan(settings, plan.machine());
        List<Prefix> near = Stream.of(lan, tailnet(), plan.meshPeers(), LOOPBACK)
                .flatMap(List::stream)
                .distinct()
                .toList();
        return new DanteSettings(
                settings.socks().port(),
                plan.identity().link(),
                plan.machine().ipv6().isEnabledAnywhere(),
                clients(plan),
                Stream.of(
                                lan,
                                tailnet(),
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

    /** Returns the networks whose clients may use the proxies. */
    private List<Prefix> clients(ExitNodePlan plan) {
        return Stream.of(settings.socks().allow(), plan.meshPeers(), tailnet())
                .flatMap(List::stream)
                .distinct()
                .toList();
    }

    private List<Prefix> tailnet() {
        return settings.mesh().tailscale().isPresent() ? Tailnet.RANGES : List.of();
    }

    @Override
    public void close() {
        servers().forEach(ProxyServer::close);
    }
}
