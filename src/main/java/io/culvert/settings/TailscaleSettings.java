// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.Endpoint;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The settings of Tailscale's programs, and what routing and firewall need to know of them.
 *
 * @param userVariables the variables that the user set
 * @param environment all variables of containerboot, except {@code PATH} and those that change from start to start
 * @param upArguments of {@code tailscale up}, without the one that advertises the exit node; empty if
 *     {@code configured}
 * @param daemonArguments of tailscaled, as written
 * @param advertisesExitNode whether to advertise this node as an exit node, once the tunnel is connected
 * @param configured whether a configuration file (its directory is set) replaces the arguments
 * @param interfaceName the name of the interface
 * @param port the UDP port for direct connections from other nodes; empty if it changes from start to start
 * @param routes subnets advertised to peers, which are reached outside the tunnel; no whole address family
 * @param acceptsRoutes whether subnets that peers advertise are added to Tailscale's routing table
 * @param acceptsDns whether Tailscale may rewrite resolv.conf
 * @param usesSnat whether Tailscale's own nftables rules translate the source of exit traffic to the tunnel's
 *     address
 * @param usesNetfilter whether Tailscale adds nftables rules of its own
 * @param controlServer the control server that the node logs in to
 * @param proxyPorts ports of Tailscale's own SOCKS5 and HTTP proxy that are reachable beyond the loopback interface
 * @param stateDirectory the directory of the node's state; empty if it is stored elsewhere or not at all
 * @param ephemeral whether the state is not stored, so that each start is a new node
 * @param socket the socket of tailscaled's local API
 * @param secrets secrets that may occur in its output
 */
public record TailscaleSettings(
        Set<String> userVariables,
        Map<String, String> environment,
        GoFlags upArguments,
        GoFlags daemonArguments,
        boolean advertisesExitNode,
        boolean configured,
        String interfaceName,
        OptionalInt port,
        List<Prefix> routes,
        boolean acceptsRoutes,
        boolean acceptsDns,
        boolean usesSnat,
        boolean usesNetfilter,
        Endpoint controlServer,
        List<Port> proxyPorts,
        Optional<Path> stateDirectory,
        boolean ephemeral,
        Path socket,
        List<String> secrets) {

    /** The default control server (tailscale: ipn/prefs.go). */
    public static final String DEFAULT_CONTROL_SERVER = "controlplane.tailscale.com";

    public TailscaleSettings {
        userVariables = Set.copyOf(userVariables);
        SortedMap<String, String> sorted = new TreeMap<>(environment);
        environment = Collections.unmodifiableMap(sorted);
        routes = List.copyOf(routes);
        proxyPorts = List.copyOf(proxyPorts);
        secrets = List.copyOf(secrets);
    }

    /** Returns the same settings without {@link #secrets}. */
    public TailscaleSettings withoutSecrets() {
        return new TailscaleSettings(
                userVariables,
                environment,
                upArguments,
                daemonArguments,
                advertisesExitNode,
                configured,
                interfaceName,
                port,
                routes,
                acceptsRoutes,
                acceptsDns,
                usesSnat,
                usesNetfilter,
                controlServer,
                proxyPorts,
                stateDirectory,
                ephemeral,
                socket,
                List.of());
    }

    /** Returns whether containerboot passes the arguments to the node at its first login only. */
    public boolean loginOnce() {
        return GoFlags.parseBoolean(environment.getOrDefault("TS_AUTH_ONCE", ""))
                .orElse(false);
    }

    /** Returns whether the control server is Tailscale's own, and not a Headscale. */
    public boolean usesTailscalesControlServer() {
        String host = controlServer.host().toString();
        return host.equals("tailscale.com") || host.endsWith(".tailscale.com");
    }

    /** Returns the names of the variables only, because many of them may contain a key. */
    @Override
    public String toString() {
        return "TailscaleSettings[" + environment.keySet() + "]";
    }
}
