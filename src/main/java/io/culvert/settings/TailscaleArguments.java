package io.culvert.settings;

import io.culvert.ip.Coverage;
import io.culvert.ip.Endpoint;
import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/** What the arguments of {@code tailscale up} and of tailscaled say, and what in them cannot be. */
final class TailscaleArguments {

    /** Tailscale's own usual UDP port, which it leaves to chance in a container. */
    static final int USUAL_PORT = 41641;

    /** {@code IFNAMSIZ} less the final zero (include/uapi/linux/if.h). */
    private static final int LONGEST_LINK = 15;

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

    /** Tells what is refused, and what is worth a warning. */
    void check() {
        up.value("exit-node")
                .filter(node -> !node.isEmpty())
                .ifPresent(_ -> refuse(
                        UP,
                        "has --exit-node, which is refused: all traffic would leave through that node instead of the tunnel",
                        "remove it; this container is the exit node itself"));
        if (acceptsRoutes()) {
            problems.add(Problem.warning(
                    Place.setting(UP),
                    "has --accept-routes: whatever subnets other nodes announce are reached through the mesh, past the"
                            + " tunnel, by this container and its proxy too",
                    "remove it, unless you trust everyone who may announce routes in your tailnet"));
        }
        daemon.value("tun")
                .filter(tun -> tun.contains("userspace-networking"))
                .ifPresent(_ -> refuse(
                        DAEMON,
                        "has --tun=userspace-networking, which is refused: Tailscale would then forward exit traffic from"
                                + " its own sockets, which leave past the tunnel with the real address",
                        "remove it; " + Hints.here().tunDevice() + "; "
                                + Hints.here().netAdmin()));
        if (daemon.value("socket").isPresent()) {
            refuse(DAEMON, "has --socket, which containerboot would not find", "set TS_SOCKET instead");
        }
        Stream.of("cleanup", "version")
                .filter(flag -> daemon.value(flag).isPresent())
                .forEach(flag -> refuse(DAEMON, "has --" + flag + ", with which tailscaled only ends", "remove it"));
    }

    /** For {@code tailscale up}, without the one that offers the exit: that is given at each start anew. */
    GoFlags withoutOffer() {
        return up.without("advertise-exit-node");
    }

    GoFlags daemon() {
        return daemon;
    }

    /** For tailscaled, with a port that stays. */
    String forDaemon(OptionalInt port) {
        boolean given = daemon.value("port").isPresent();
        return given || port.isEmpty() ? daemon.toString() : (daemon + " --port=" + port.getAsInt()).strip();
    }

    boolean offersExit() {
        return up.truth("advertise-exit-node").orElse(true);
    }

    boolean acceptsRoutes() {
        return up.truth("accept-routes").orElse(false);
    }

    Optional<Boolean> acceptsDns() {
        return up.truth("accept-dns");
    }

    boolean firewall() {
        return up.value("netfilter-mode").orElse("on").equals("on");
    }

    boolean masquerades() {
        return firewall() && up.truth("snat-subnet-routes").orElse(true);
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
        Coverage.mostOf(routes)
                .ifPresent(family -> refuse(
                        name,
                        "announces most of the " + (family == Family.IPV4 ? "IPv4" : "IPv6")
                                + " internet, which would leave outside of the tunnel",
                        "name only the networks behind this node; it offers itself as an exit node automatically"));
        return routes;
    }

    private Optional<Prefix> route(String name, String text) {
        try {
            Prefix route = Prefix.parse(text);
            if (route.hasHostBits()) {
                refuse(name, "has " + route + ", an address inside a subnet", "write " + route.network());
            } else if (text.indexOf('/') < 0) {
                refuse(name, "has " + text + " without a prefix length", "write " + route);
            }
            return Optional.of(route);
        } catch (IllegalArgumentException e) {
            refuse(name, "has a route that is none: " + e.getMessage(), "write subnets such as 192.168.1.0/24");
            return Optional.empty();
        }
    }

    /** @param usual what the variable {@code PORT} says */
    OptionalInt port(Optional<String> usual) {
        String text = daemon.value("port")
                .or(() -> usual.filter(it -> it.matches("[0-9]{1,5}")))
                .orElse(String.valueOf(USUAL_PORT));
        if (!text.matches("[0-9]{1,5}") || Integer.parseInt(text) > 65535) {
            refuse(DAEMON, "has --port with what is no port", "write a number from 1 to 65535, such as --port=41641");
            return OptionalInt.empty();
        }
        int port = Integer.parseInt(text);
        return port == 0 ? OptionalInt.empty() : OptionalInt.of(port);
    }

    String link() {
        String link = daemon.value("tun").orElse("tailscale0");
        if (link.length() > LONGEST_LINK || !link.matches("[A-Za-z0-9_.-]+")) {
            if (!link.contains("userspace-networking")) {
                refuse(
                        DAEMON,
                        "has --tun with what cannot name an interface",
                        "write --tun=tailscale0, or leave it out");
            }
            return "tailscale0";
        }
        if (link.equals("wg0") || link.equals("mesh0")) {
            refuse(DAEMON, "has --tun=" + link + ", which is an interface of ours", "leave it out");
        }
        return link;
    }

    Endpoint control() {
        Endpoint usual = Endpoint.parse(TailscaleSettings.USUAL_CONTROL + ":443");
        Optional<String> url = up.value("login-server").filter(text -> !text.isEmpty());
        if (url.isEmpty()) {
            return usual;
        }
        try {
            URI uri = URI.create(url.get());
            boolean plain = "http".equals(uri.getScheme());
            if (uri.getHost() != null && (plain || "https".equals(uri.getScheme()))) {
                int port = uri.getPort() < 0 ? (plain ? 80 : 443) : uri.getPort();
                return Endpoint.parse(uri.getHost() + ":" + port);
            }
        } catch (IllegalArgumentException _) {
            // Said below.
        }
        refuse(
                UP,
                "has --login-server with what is no URL",
                "write it as in --login-server=https://headscale.example.com");
        return usual;
    }

    /** Whether tailscaled keeps the node's identity where an argument says. */
    boolean keepsState() {
        return daemon.value("state").filter(state -> !state.equals("mem:")).isPresent();
    }

    /** Keys written among the arguments. */
    List<String> credentials() {
        return Stream.of("auth-key", "authkey", "client-secret", "id-token")
                .flatMap(name -> up.given().stream().filter(flag -> flag.name().equals(name)))
                .flatMap(flag -> flag.value().stream())
                .toList();
    }

    private void refuse(String name, String what, String cure) {
        problems.add(Problem.input(Place.setting(name), what, cure));
    }
}
