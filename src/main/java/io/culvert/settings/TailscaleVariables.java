package io.culvert.settings;

import io.culvert.ip.Transport;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import io.culvert.settings.Malformed.Fault;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The {@code TS_} variables: passed on unchanged, except what would leak; with our defaults where nothing is said, which are
 * those under which Tailscale forwards in the kernel and gets along with the tunnel.
 */
final class TailscaleVariables {

    static final Map<String, String> DEFAULTS = Map.of(
            "TS_USERSPACE", "false",
            "TS_DEBUG_FIREWALL_MODE", "nftables",
            "TS_ACCEPT_DNS", "false",
            "TS_DEBUG_DNS_FORWARD_USE_ROUTES", "false",
            "TS_SOCKET", "/tmp/tailscaled.sock");

    private static final String CONFIG_DIRECTORY = "TS_EXPERIMENTAL_VERSIONED_CONFIG_DIR";

    /** What Go programs, Tailscale's among them, take from their surroundings besides. */
    private static final Predicate<String> GENERAL = Pattern.compile(
                    "(?i:https?_proxy|no_proxy|all_proxy)|SSL_CERT_(FILE|DIR)|GO(MEMLIMIT|GC|MAXPROCS|DEBUG)|TZ|LANG|HOME"
                            + "|AWS_[A-Z0-9_]+|POD_(IPS?|UID|NAME)")
            .asMatchPredicate();

    /** Only together with TS_KUBE_SECRET: alone they would make containerboot keep its state in a Secret. */
    private static final Predicate<String> KUBERNETES =
            Pattern.compile("KUBERNETES_SERVICE_(HOST|PORT(_HTTPS)?)").asMatchPredicate();

    private final Map<String, String> given = new TreeMap<>();
    private final Map<String, String> surroundings = new TreeMap<>();
    private final Optional<String> port;
    private final FileRoot root;
    private final Problems problems;
    private final List<String> secrets = new ArrayList<>();

    private TailscaleVariables(Map<String, String> environment, FileRoot root, Problems problems) {
        this.root = root;
        this.problems = problems;
        this.port = Optional.ofNullable(environment.get("PORT"));
        boolean secret = !environment.getOrDefault("TS_KUBE_SECRET", "").isEmpty();
        environment.forEach((name, text) -> {
            if (name.startsWith(TailscaleNames.PREFIX)) {
                given.put(name, text);
            } else if (GENERAL.test(name) || (secret && KUBERNETES.test(name))) {
                surroundings.put(name, text);
            }
        });
    }

    /** Never throws for what the user wrote: what is wrong is among the problems. */
    static TailscaleSettings of(Map<String, String> environment, FileRoot root, Problems problems) {
        return new TailscaleVariables(environment, root, problems).read();
    }

    private TailscaleSettings read() {
        TailscaleNames.check(given.keySet(), problems);
        TailscaleNames.SECRET.forEach(this::fromFile);
        Map<String, String> checked = new TreeMap<>(given);
        checked.putAll(surroundings);
        new TailscaleRefusals(checked, problems).check();
        boolean configured = has(CONFIG_DIRECTORY);
        TailscaleArguments arguments = new TailscaleArguments(
                given.getOrDefault("TS_EXTRA_ARGS", ""), given.getOrDefault("TS_TAILSCALED_EXTRA_ARGS", ""), problems);
        arguments.check();
        Stream.concat(
                        TailscaleNames.SECRET.stream().flatMap(name -> value(name).stream()),
                        arguments.credentials().stream())
                .forEach(this::conceal);
        OptionalInt udp = arguments.port(port);
        Optional<Path> state = path("TS_STATE_DIR");
        return new TailscaleSettings(
                given.keySet(),
                environment(configured, arguments.forDaemon(udp)),
                arguments.withoutOffer(),
                arguments.daemon(),
                arguments.offersExit(),
                configured,
                arguments.link(),
                udp,
                arguments.routes(value("TS_ROUTES")),
                arguments.acceptsRoutes(),
                arguments
                        .acceptsDns()
                        .or(() -> value("TS_ACCEPT_DNS").flatMap(GoFlags::truthOf))
                        .orElse(configured),
                arguments.masquerades(),
                arguments.firewall(),
                arguments.control(),
                Stream.of("TS_SOCKS5_SERVER", "TS_OUTBOUND_HTTP_PROXY_LISTEN")
                        .flatMap(this::reachable)
                        .distinct()
                        .toList(),
                state,
                state.isEmpty() && !has("TS_KUBE_SECRET") && !arguments.keepsState(),
                path("TS_SOCKET").orElse(Path.of(DEFAULTS.get("TS_SOCKET"))),
                secrets);
    }

    /** A configuration file rules alone: containerboot refuses TS_ACCEPT_DNS and TS_EXTRA_ARGS beside it. */
    private Map<String, String> environment(boolean configured, String daemonArguments) {
        Map<String, String> all = new TreeMap<>(surroundings);
        all.putAll(given);
        DEFAULTS.forEach((name, text) -> {
            if (!has(name)) {
                all.put(name, text);
            }
        });
        if (!has("TS_AUTHKEY")) {
            all.remove("TS_AUTHKEY"); // An empty one would hide TS_AUTH_KEY, its other name.
        }
        all.put("TS_TAILSCALED_EXTRA_ARGS", daemonArguments);
        all.remove("TS_EXTRA_ARGS"); // Put together at each start.
        if (configured && !has("TS_ACCEPT_DNS")) {
            all.remove("TS_ACCEPT_DNS");
        }
        return all;
    }

    /** {@code NAME_FILE} becomes what Tailscale reads itself, {@code file:PATH}: so the key is in no process's environment. */
    private void fromFile(String name) {
        String variable = Setting.fileVariable(name);
        Optional<String> path = value(variable);
        given.remove(variable);
        if (path.isEmpty()) {
            return;
        }
        if (has(name)) {
            problems.add(
                    Problem.input(Place.setting(name), "is set, and " + variable + " is too", "keep one of the two"));
            return;
        }
        try {
            Path file = FilePath.parseUnseen(path.get());
            secrets.add(ValueFile.read(root.at(file), file).strip());
            given.put(name, "file:" + file);
        } catch (Malformed malformed) {
            malformed.faults().forEach(fault -> refuse(variable, fault));
        }
    }

    /** A key, or {@code file:PATH}; a path that leads nowhere may yet be mounted, and Tailscale says when it is not. */
    private void conceal(String key) {
        if (!key.startsWith("file:")) {
            secrets.add(key);
            return;
        }
        try {
            Path file = FilePath.parseUnseen(key.substring("file:".length()));
            String text = ValueFile.read(root.at(file), file).strip();
            if (!secrets.contains(text)) {
                secrets.add(text);
            }
        } catch (Malformed malformed) {
            malformed.faults().forEach(fault -> refuse("TS_AUTHKEY", fault));
        }
    }

    /** The port of a listener such as {@code :1055}, unless only this container reaches it. */
    private Stream<Published> reachable(String name) {
        Optional<String> text = value(name);
        if (text.isEmpty()) {
            return Stream.empty();
        }
        int colon = text.get().lastIndexOf(':');
        String host = text.get().substring(0, Math.max(0, colon));
        String digits = text.get().substring(colon + 1);
        if (!digits.matches("[0-9]{1,5}") || Integer.parseInt(digits) < 1 || Integer.parseInt(digits) > 65535) {
            refuse(name, new Fault("is not an address and a port", "write it as in localhost:1055, or :1055"));
            return Stream.empty();
        }
        boolean loopback = host.equals("localhost") || host.startsWith("127.") || host.equals("[::1]");
        return loopback ? Stream.empty() : Stream.of(new Published(Integer.parseInt(digits), Transport.TCP));
    }

    private Optional<Path> path(String name) {
        try {
            return value(name).map(FilePath::parse);
        } catch (Malformed malformed) {
            malformed.faults().forEach(fault -> refuse(name, fault));
            return Optional.empty();
        }
    }

    private Optional<String> value(String name) {
        return Optional.ofNullable(given.get(name)).filter(text -> !text.isEmpty());
    }

    private boolean has(String name) {
        return value(name).isPresent();
    }

    private void refuse(String name, Fault fault) {
        problems.add(Problem.input(Place.setting(name), fault.what(), fault.cure()));
    }
}
