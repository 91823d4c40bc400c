// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.net.Coverage;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.rtnl.PolicyRule;
import io.culvert.settings.BypassEntry;
import io.culvert.settings.Settings;
import io.culvert.wireguard.config.Peer;
import io.culvert.wireguard.config.RoutingTable;
import io.culvert.wireguard.config.WireGuardConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Checks what is valid in a file or setting alone, but does not work in an exit node. */
public final class ExitNodeChecks {

    private ExitNodeChecks() {}

    /** Returns the problems of a provider's file. */
    public static List<Problem> checkServer(Path file, WireGuardConfig config, Settings settings) {
        List<Problem> problems = new ArrayList<>();
        Location location = Location.file(file);
        if (config.peers().stream().noneMatch(peer -> peer.endpoint().isPresent())) {
            problems.add(Problem.input(
                    location,
                    "no peer has an Endpoint, so there is no server to connect to",
                    "add Endpoint = host:port"));
        }
        List<Prefix> allowed = allowedIps(config);
        if (allowed.isEmpty()) {
            problems.add(Problem.input(
                    location,
                    "no peer has AllowedIPs, so nothing would go through the tunnel",
                    "add AllowedIPs = 0.0.0.0/0, ::/0"));
        }
        for (Family family : Family.values()) {
            checkCoverage(family, allowed, config, location, problems);
        }
        if (!(config.table() instanceof RoutingTable.Auto)) {
            problems.add(Problem.note(location, "Table= is ignored: the exit node uses a routing table of its own"));
        }
        if (config.fwMark().isPresent() && config.fwMark().getAsLong() != settings.mark()) {
            problems.add(Problem.note(
                    location, "FwMark= is ignored: the kill switch identifies the tunnel by CULVERT_MARK"));
        }
        return problems;
    }

    /**
     * Returns the problems of a mesh interface.
     *
     * @param file the file that defines it
     * @param servers all provider's files that may be used
     */
    public static List<Problem> checkMesh(Path file, WireGuardMeshInterface mesh, List<WireGuardConfig> servers) {
        List<Problem> problems = new ArrayList<>();
        Location location = Location.file(file);
        WireGuardConfig config = mesh.file();
        if (config.listenPort().isEmpty()) {
            problems.add(mesh.subnet()
                    .map(subnet -> Problem.input(
                            location,
                            "this peer has no listenPort in subnet '" + subnet
                                    + "', so other peers cannot connect to it",
                            "set listenPort: 51820 there, or another port that it has in no other subnet"))
                    .orElseGet(() -> Problem.input(
                            location,
                            "ListenPort is missing, so clients cannot connect to this node",
                            "add ListenPort = 51820")));
        }
        checkPort(location, config.listenPort().orElse(0), problems);
        if (config.listenPort().isPresent()
                && servers.stream().anyMatch(server -> server.listenPort().equals(config.listenPort()))) {
            problems.add(Problem.input(
                    location,
                    "ListenPort " + config.listenPort().getAsInt() + " is also the ListenPort of the provider's file",
                    "use another port here, or delete that line from the provider's file"));
        }
        List<Prefix> defaultRoutes = allowedIps(config).stream()
                .filter(prefix -> Coverage.mostlyCoveredFamily(List.of(prefix)).isPresent())
                .toList();
        if (defaultRoutes.isEmpty()
                && Coverage.mostlyCoveredFamily(allowedIps(config)).isPresent()) {
            defaultRoutes = allowedIps(config);
        }
        if (!defaultRoutes.isEmpty()) {
            problems.add(Problem.input(
                    location,
                    "a client's AllowedIPs is "
                            + defaultRoutes.stream().map(Prefix::toString).collect(Collectors.joining(", "))
                            + ", but clients use this node as their exit node, not the other way round",
                    "use the client's own addresses, such as 10.99.0.2/32"));
        }
        for (Prefix prefix : allowedIps(config)) {
            if (servers.stream()
                    .flatMap(server -> server.addresses().stream())
                    .anyMatch(address -> prefix.overlaps(Prefix.host(address.address())))) {
                problems.add(Problem.input(
                        location,
                        "the clients' AllowedIPs " + prefix + " contains the tunnel's own address",
                        "use another range for the mesh, such as 10.99.0.0/24"));
            }
        }
        return problems;
    }

    /** Returns the problems of settings that are valid, but cannot be applied or are risky. */
    public static List<Problem> checkSettings(Settings settings) {
        List<Problem> problems = new ArrayList<>();
        settings.published().forEach(it -> checkPort(Location.setting("CULVERT_PUBLISH"), it.number(), problems));
        settings.bypasses().forEach(it -> checkPort(Location.setting("CULVERT_BYPASS"), checkPort(it), problems));
        if (settings.socks().enabled()) {
            checkPort(Location.setting("CULVERT_SOCKS_PORT"), settings.socks().port(), problems);
            checkPort(
                    Location.setting("CULVERT_SOCKS_UDP_PORTS"),
                    settings.socks().udpPorts().last(),
                    problems);
        }
        settings.httpProxy().ifPresent(port -> checkPort(Location.setting("CULVERT_HTTP_PROXY_PORT"), port, problems));
        boolean isSocksOpen =
                settings.socks().enabled() && settings.socks().config().isEmpty();
        if (settings.socks().login().isEmpty()
                && (isSocksOpen || settings.httpProxy().isPresent())) {
            problems.add(Problem.warning(
                    Location.setting(isSocksOpen ? "CULVERT_SOCKS" : "CULVERT_HTTP_PROXY"),
                    "the proxy requires no login; if its port is published, every client may appear to come from a"
                            + " private network, because container engines forward connections with an address of"
                            + " their own",
                    "set CULVERT_SOCKS_USER and CULVERT_SOCKS_PASSWORD, or publish the port on 127.0.0.1 only"));
        }
        settings.mesh().tailscale().ifPresent(tailscale -> {
            checkPort(
                    Location.setting("TS_TAILSCALED_EXTRA_ARGS"),
                    tailscale.port().orElse(0),
                    problems);
            tailscale
                    .proxyPorts()
                    .forEach(it -> checkPort(
                            Location.setting("TS_SOCKS5_SERVER, TS_OUTBOUND_HTTP_PROXY_LISTEN"),
                            it.number(),
                            problems));
        });
        settings.mesh()
                .tailscale()
                .filter(tailscale -> tailscale.port().isEmpty())
                .ifPresent(_ -> problems.add(Problem.warning(
                        Location.setting("TS_TAILSCALED_EXTRA_ARGS"),
                        "with --port=0 the node reaches its peers through relays only: the kill switch allows"
                                + " Tailscale's UDP packets from one known port",
                        "use a fixed port, such as --port=41641, or remove --port")));
        return problems;
    }

    /** Returns the problems of the port that the user's own proxy configuration listens on. */
    public static List<Problem> checkProxy(Path file, int port) {
        List<Problem> problems = new ArrayList<>();
        checkPort(Location.file(file), port, problems);
        return problems;
    }

    private static int checkPort(BypassEntry entry) {
        return switch (entry) {
            case BypassEntry.ToName name -> name.port();
            case BypassEntry.ToPrefix prefix -> prefix.bypass().port().orElse(0);
        };
    }

    private static void checkPort(Location location, int port, List<Problem> problems) {
        if (port > PolicyRule.MAX_PORT) {
            problems.add(Problem.input(
                    location,
                    "port " + port + " cannot be used in the kernel's routing rules",
                    "use a port up to " + PolicyRule.MAX_PORT));
        }
    }

    static List<Prefix> allowedIps(WireGuardConfig config) {
        return config.peers().stream()
                .map(Peer::allowedIps)
                .flatMap(List::stream)
                .distinct()
                .toList();
    }

    private static void checkCoverage(
            Family family, List<Prefix> allowed, WireGuardConfig config, Location location, List<Problem> problems) {
        Coverage coverage = Coverage.of(family, allowed);
        String name = family.text();
        if (coverage.extent() == Coverage.Extent.NONE) {
            problems.add(Problem.note(location, "AllowedIPs has no " + name + ": " + name + " is blocked, not leaked"));
        } else if (!coverage.isFullTunnel()) {
            problems.add(Problem.warning(
                    location,
                    "AllowedIPs covers only a part of " + name + ": the rest is blocked, not leaked",
                    "use " + Prefix.all(family) + " for all addresses"));
        } else if (config.addresses().stream().noneMatch(address -> address.family() == family)) {
            problems.add(Problem.note(
                    location, "the tunnel has no " + name + " address: " + name + " is blocked, not leaked"));
        }
    }
}
