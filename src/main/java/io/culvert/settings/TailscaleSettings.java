package io.culvert.settings;

import io.culvert.ip.Endpoint;
import io.culvert.ip.Prefix;
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
 * How Tailscale is to be run, and what the network around it must know of that.
 *
 * @param given the variables that the user gave
 * @param environment all of containerboot's, but for {@code PATH} and what changes from start to start
 * @param upArguments of {@code tailscale up}, without the one that offers the exit; empty together with {@code configFile}
 * @param daemonArguments of tailscaled, as given
 * @param offersExit whether peers may use this node as their exit, once the tunnel is up
 * @param configured by a configuration file (its directory is given) instead of arguments
 * @param link the interface's name
 * @param port where other nodes reach this one directly, over UDP; empty when it changes from start to start
 * @param routes subnets announced to peers, to be reached past the tunnel; no whole family among them
 * @param acceptsRoutes whether subnets that peers announce enter Tailscale's routing table
 * @param acceptsDns whether Tailscale may rewrite resolv.conf
 * @param masquerades whether Tailscale's own nftables rules give exit traffic the tunnel's address
 * @param firewall whether Tailscale adds nftables rules of its own at all
 * @param control the server that the node logs in to
 * @param proxies ports of Tailscale's own SOCKS5 and HTTP proxy that answer beyond the loopback interface
 * @param stateDirectory where the node's identity is kept; empty when it is kept elsewhere or nowhere
 * @param ephemeral whether it is kept nowhere, so that each start is another node
 * @param socket where tailscaled is asked
 * @param secrets that its output may contain
 */
public record TailscaleSettings(
        Set<String> given,
        Map<String, String> environment,
        GoFlags upArguments,
        GoFlags daemonArguments,
        boolean offersExit,
        boolean configured,
        String link,
        OptionalInt port,
        List<Prefix> routes,
        boolean acceptsRoutes,
        boolean acceptsDns,
        boolean masquerades,
        boolean firewall,
        Endpoint control,
        List<Published> proxies,
        Optional<Path> stateDirectory,
        boolean ephemeral,
        Path socket,
        List<String> secrets) {

    /** The coordination server where none is named (tailscale: ipn/prefs.go). */
    public static final String USUAL_CONTROL = "controlplane.tailscale.com";

    public TailscaleSettings {
        given = Set.copyOf(given);
        SortedMap<String, String> sorted = new TreeMap<>(environment);
        environment = Collections.unmodifiableMap(sorted);
        routes = List.copyOf(routes);
        proxies = List.copyOf(proxies);
        secrets = List.copyOf(secrets);
    }

    /** Whether containerboot tells the node its arguments only at its first login. */
    public boolean loginOnce() {
        return GoFlags.truthOf(environment.getOrDefault("TS_AUTH_ONCE", "")).orElse(false);
    }

    /** Whether the server is Tailscale's own, and not a Headscale. */
    public boolean usesTailscalesServer() {
        String host = control.host().toString();
        return host.equals("tailscale.com") || host.endsWith(".tailscale.com");
    }

    /** Names only: many variables may hold a key. */
    @Override
    public String toString() {
        return "TailscaleSettings[" + environment.keySet() + "]";
    }
}
