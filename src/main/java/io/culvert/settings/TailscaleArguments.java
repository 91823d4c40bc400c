// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import io.culvert.net.Coverage;
import io.culvert.net.Endpoint;
import io.culvert.net.InterfaceName;
import io.culvert.net.Prefix;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The arguments of {@code tailscale up} and tailscaled: their meaning, and the checks for those that cannot work here.
 */
final class TailscaleArguments {

    /** Tailscale's default UDP port; in a container, tailscaled picks a random one instead. */
    static final int DEFAULT_PORT = 41641;

    private static final String UP = "TS_EXTRA_ARGS";
    private static final String DAEMON = "TS_TAILSCALED_EXTRA_ARGS";

    /** Switches of {@code tailscale up} (tailscale 1.98.9: cmd/tailscale/cli/up.go). */
    private static final Set<String> UP_SWITCHES = Set.of(
            "qr",
            "accept-routes",
            "accept-dns",
            "host-routes",
            "exit-node-allow-lan-access",
            "shields-up",
            "ssh",
            "advertise-connector",
            "advertise-exit-node",
            "report-posture",
            "snat-subnet-routes",
            "stateful-filtering",
            "json",
            "reset",
            "force-reauth");

    /** Switches of tailscaled (cmd/tailscaled/tailscaled.go). */
    private static final Set<String> DAEMON_SWITCHES =
            Set.of("cleanup", "version", "no-logs-no-support", "encrypt-state", "hardware-attestation");

    private final GoFlags up;
    private final GoFlags daemon;
    private final Problems problems;

    TailscaleArguments(String up, String daemon, Problems problems) {
        this.up = GoFlags.parse(up, UP_SWITCHES);
        this.daemon = GoFlags.parse(daemon, DAEMON_SWITCHES);
        this.problems = problems;
    }

    /** Reports the arguments that are refused, and those that deserve a warning. */
    void check() {
        up.value("exit-node")
                .filter(node -> !node.isEmpty())
                .ifPresent(_ -> refuse(
                        UP,
                        "--exit-node is refused, because all traffic would leave through that node instead of the"
                                + " tunnel",
                        "remove it; this node is the exit node"));
        if (acceptsRoutes()) {
            problems.add(Problem.warning(
                    Location.setting(UP),
                    "--accept-routes sends traffic to the subnets that other nodes advertise through the tailnet"
                            + " instead of the tunnel, including that of the proxy",
                    "remove it, unless you trust all nodes that may advertise routes in your tailnet"));
        }
        daemon.value("tun")
                .filter(tun -> tun.contains("userspace-networking"))
                .ifPresent(_ -> refuse(
                        DAEMON,
                        "--tun=userspace-networking is refused, because Tailscale would forward the traffic of"
                                + " exit-node clients outside the tunnel, with the real address",
                        "remove it; " + Hints.here().tunDevice() + "; "
                                + Hints.here().netAdmin()));
        if (daemon.value("socket").isPresent()) {
            refuse(
                    DAEMON,
                    "--socket is refused, because containerboot would not find the socket",
                    "set TS_SOCKET instead");
        }
        Stream.of("cleanup", "version")
                .filter(flag -> daemon.value(flag).isPresent())
                .forEach(flag ->
                        refuse(DAEMON, "--" + flag + " is refused, because tailscaled would exit", "remove it"));
    }

    /**
     * Returns the arguments for {@code tailscale up}, without the one that advertises the exit node, which is added at
     * each start.
     */
    GoFlags withoutAdvertiseExitNode() {
        return up.without("advertise-exit-node");
    }

    GoFlags daemon() {
        return daemon;
    }

    /** Returns the arguments for tailscaled, with a fixed port. */
    String daemonArguments(OptionalInt port) {
        boolean hasPort = daemon.value("port").isPresent();
        return hasPort || port.isEmpty() ? daemon.toString() : (daemon + " --port=" + port.getAsInt()).strip();
    }

    boolean advertisesExitNode() {
        return up.booleanValue("advertise-exit-node").orElse(true);
    }

    boolean acceptsRoutes() {
        return up.booleanValue("accept-routes").orElse(false);
    }

    Optional<Boolean> acceptsDns() {
        return up.booleanValue("accept-dns");
    }

    boolean usesNetfilter() {
        return up.value("netfilter-mode").orElse("on").equals("on");
    }

    boolean usesSnat() {
        return usesNetfilter() && up.booleanValue("snat-subnet-routes").orElse(true);
    }

    /** @param variable the value of {@code TS_ROUTES} */
    List<Prefix> routes(Optional<String> variable) {
        Optional<String> flag = up.value("advertise-routes");
        String name = flag.isPresent() ? UP : "TS_ROUTES";
        List<Prefix> routes = new ArrayList<>();
        for (String text : flag.or(() -> variable).orElse("").split(",", -1)) {
            if (!text.isBlank()) {
                route(name, text.strip()).filter(route -> !route.isDefault()).ifPresent(routes::add);
            }
        }
        Coverage.mostlyCoveredFamily(routes)
                .ifPresent(family -> refuse(
                        name,
                        "advertises most of the " + family.text() + " internet, which would bypass the tunnel",
                        "list only the networks behind this node; it is advertised as an exit node automatically"));
        return routes;
    }

    private Optional<Prefix> route(String name, String text) {
        try {
            Prefix route = Prefix.parse(text);
            if (route.hasHostBits()) {
                refuse(name, route + " is an address within a subnet, not a subnet", "use " + route.network());
            } else if (text.indexOf('/') < 0) {
                refuse(name, text + " has no prefix length", "use " + route);
            }
            return Optional.of(route);
        } catch (IllegalArgumentException e) {
            refuse(name, "invalid route: " + e.getMessage(), "use subnets such as 192.168.1.0/24");
            return Optional.empty();
        }
    }

    /** @param fallback the value of the variable {@code PORT} */
    OptionalInt port(Optional<String> fallback) {
        String text = daemon.value("port")
                .or(() -> fallback.filter(it -> it.matches("[0-9]{1,5}")))
                .orElse(String.valueOf(DEFAULT_PORT));
        if (!text.matches("[0-9]{1,5}") || Integer.parseInt(text) > 65535) {
            refuse(DAEMON, "--port is not a port", "use a number from 1 to 65535, such as --port=41641");
            return OptionalInt.empty();
        }
        int port = Integer.parseInt(text);
        return port == 0 ? OptionalInt.empty() : OptionalInt.of(port);
    }

    String link() {
        String link = daemon.value("tun").orElse("tailscale0");
        if (!InterfaceName.isValid(link)) {
            if (!link.contains("userspace-networking")) {
                refuse(DAEMON, "--tun is not a valid interface name", "use --tun=tailscale0, or remove it");
            }
            return "tailscale0";
        }
        if (link.equals("wg0") || link.equals("mesh0")) {
            refuse(
                    DAEMON,
                    "--tun=" + link + " is refused, because it is the name of an interface of Culvert",
                    "use another name, or remove it");
        }
        return link;
    }

    Endpoint controlServer() {
        Endpoint fallback = Endpoint.parse(TailscaleSettings.DEFAULT_CONTROL_SERVER + ":443");
        Optional<String> url = up.value("login-server").filter(text -> !text.isEmpty());
        if (url.isEmpty()) {
            return fallback;
        }
        try {
            URI uri = URI.create(url.get());
            boolean plain = "http".equals(uri.getScheme());
            if (uri.getHost() != null && (plain || "https".equals(uri.getScheme()))) {
                int port = uri.getPort() < 0 ? (plain ? 80 : 443) : uri.getPort();
                return Endpoint.parse(uri.getHost() + ":" + port);
            }
        } catch (IllegalArgumentException _) {
            // Reported below.
        }
        refuse(UP, "--login-server is not a URL", "use a URL, such as --login-server=https://headscale.example.com");
        return fallback;
    }

    /** Returns whether an argument makes tailscaled keep the node's state. */
    boolean storesState() {
        return daemon.value("state").filter(state -> !state.equals("mem:")).isPresent();
    }

    /** Returns the keys among the arguments. */
    List<String> credentials() {
        return Stream.of("auth-key", "authkey", "client-secret", "id-token")
                .flatMap(name -> up.flags().stream().filter(flag -> flag.name().equals(name)))
                .flatMap(flag -> flag.value().stream())
                .toList();
    }

    private void refuse(String name, String message, String hint) {
        problems.add(Problem.input(Location.setting(name), message, hint));
    }
}
