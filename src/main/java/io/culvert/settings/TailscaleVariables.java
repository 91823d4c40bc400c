// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import io.culvert.net.Port;
import io.culvert.net.Transport;
import io.culvert.settings.MalformedValue.Fault;
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
 * Reads the {@code TS_} variables. They are passed on unchanged, except those that would leak, and with Culvert's own
 * defaults, under which Tailscale forwards in the kernel and works together with the tunnel.
 */
final class TailscaleVariables {

    static final Map<String, String> DEFAULTS = Map.of(
            "TS_USERSPACE", "false",
            "TS_DEBUG_FIREWALL_MODE", "nftables",
            "TS_ACCEPT_DNS", "false",
            "TS_DEBUG_DNS_FORWARD_USE_ROUTES", "false",
            "TS_SOCKET", "/tmp/tailscaled.sock");

    private static final String CONFIG_DIRECTORY = "TS_EXPERIMENTAL_VERSIONED_CONFIG_DIR";

    /** Other environment variables that Go programs read, Tailscale's among them. */
    private static final Predicate<String> GENERAL = Pattern.compile(
                    "(?i:https?_proxy|no_proxy|all_proxy)|SSL_CERT_(FILE|DIR)|GO(MEMLIMIT|GC|MAXPROCS|DEBUG)|TZ|LANG|HOME"
                            + "|AWS_[A-Z0-9_]+|POD_(IPS?|UID|NAME)")
            .asMatchPredicate();

    /**
     * Variables of Kubernetes, passed on together with TS_KUBE_SECRET only: alone they would make containerboot store
     * its state in a Secret.
     */
    private static final Predicate<String> KUBERNETES =
            Pattern.compile("KUBERNETES_SERVICE_(HOST|PORT(_HTTPS)?)").asMatchPredicate();

    private final Map<String, String> userVariables = new TreeMap<>();
    private final Map<String, String> general = new TreeMap<>();
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
                userVariables.put(name, text);
            } else if (GENERAL.test(name) || (secret && KUBERNETES.test(name))) {
                general.put(name, text);
            }
        });
    }

    /** Reads the variables. Invalid input does not throw; it is added to the problems. */
    static TailscaleSettings of(Map<String, String> environment, FileRoot root, Problems problems) {
        return new TailscaleVariables(environment, root, problems).read();
    }

    private TailscaleSettings read() {
        TailscaleNames.check(userVariables.keySet(), problems);
        TailscaleNames.SECRET.forEach(this::fromFile);
        Map<String, String> checked = new TreeMap<>(userVariables);
        checked.putAll(general);
        new TailscaleVariableChecks(checked, problems).check();
        boolean configured = has(CONFIG_DIRECTORY);
        TailscaleArguments arguments = new TailscaleArguments(
                userVariables.getOrDefault("TS_EXTRA_ARGS", ""),
                userVariables.getOrDefault("TS_TAILSCALED_EXTRA_ARGS", ""),
                problems);
        arguments.check();
        Stream.concat(
                        TailscaleNames.SECRET.stream().flatMap(name -> value(name).stream()),
                        arguments.credentials().stream())
                .forEach(this::addSecret);
        OptionalInt udp = arguments.port(port);
        Optional<Path> state = path("TS_STATE_DIR");
        return new TailscaleSettings(
                userVariables.keySet(),
                environment(configured, arguments.daemonArguments(udp)),
                arguments.withoutAdvertiseExitNode(),
                arguments.daemon(),
                arguments.advertisesExitNode(),
                configured,
                arguments.link(),
                udp,
                arguments.routes(value("TS_ROUTES")),
                arguments.acceptsRoutes(),
                arguments
                        .acceptsDns()
                        .or(() -> value("TS_ACCEPT_DNS").flatMap(GoFlags::parseBoolean))
                        .orElse(configured),
                arguments.usesSnat(),
                arguments.usesNetfilter(),
                arguments.controlServer(),
                Stream.of("TS_SOCKS5_SERVER", "TS_OUTBOUND_HTTP_PROXY_LISTEN")
                        .flatMap(this::externalPort)
                        .distinct()
                        .toList(),
                state,
                state.isEmpty() && !has("TS_KUBE_SECRET") && !arguments.storesState(),
                path("TS_SOCKET").orElse(Path.of(DEFAULTS.get("TS_SOCKET"))),
                secrets);
    }

    /**
     * Returns the environment of containerboot. With a configuration file, it rejects TS_ACCEPT_DNS and TS_EXTRA_ARGS.
     */
    private Map<String, String> environment(boolean configured, String daemonArguments) {
        Map<String, String> result = new TreeMap<>(general);
        result.putAll(userVariables);
        DEFAULTS.forEach((name, text) -> {
            if (!has(name)) {
                result.put(name, text);
            }
        });
        if (!has("TS_AUTHKEY")) {
            result.remove("TS_AUTHKEY"); // An empty one would override TS_AUTH_KEY, its other name.
        }
        result.put("TS_TAILSCALED_EXTRA_ARGS", daemonArguments);
        result.remove("TS_EXTRA_ARGS"); // Composed at each start.
        if (configured && !has("TS_ACCEPT_DNS")) {
            result.remove("TS_ACCEPT_DNS");
        }
        return result;
    }

    /**
     * Replaces {@code NAME_FILE} by Tailscale's own form {@code file:PATH}, so that the key is in no process's
     * environment.
     */
    private void fromFile(String name) {
        String variable = Setting.fileVariable(name);
        Optional<String> path = value(variable);
        userVariables.remove(variable);
        if (path.isEmpty()) {
            return;
        }
        if (has(name)) {
            problems.add(Problem.input(
                    Location.setting(name), "cannot be combined with " + variable, "set only one of them"));
            return;
        }
        try {
            Path file = FilePath.parsePossibleSecret(path.get());
            secrets.add(ValueFile.read(root.resolve(file), file).strip());
            userVariables.put(name, "file:" + file);
        } catch (MalformedValue malformed) {
            malformed.faults().forEach(fault -> refuse(variable, fault));
        }
    }

    /**
     * Adds a key, or the one in {@code file:PATH}, to the secrets. A missing file is no problem here: it may be mounted
     * later, and Tailscale reports it otherwise.
     */
    private void addSecret(String key) {
        if (!key.startsWith("file:")) {
            secrets.add(key);
            return;
        }
        try {
            Path file = FilePath.parsePossibleSecret(key.substring("file:".length()));
            String text = ValueFile.read(root.resolve(file), file).strip();
            if (!secrets.contains(text)) {
                secrets.add(text);
            }
        } catch (MalformedValue malformed) {
            malformed.faults().forEach(fault -> refuse("TS_AUTHKEY", fault));
        }
    }

    /** Returns the port of a listener such as {@code :1055}, unless it is reachable from this container only. */
    private Stream<Port> externalPort(String name) {
        Optional<String> text = value(name);
        if (text.isEmpty()) {
            return Stream.empty();
        }
        int colon = text.get().lastIndexOf(':');
        String host = text.get().substring(0, Math.max(0, colon));
        OptionalInt port = Port.parseNumber(text.get().substring(colon + 1));
        if (port.isEmpty()) {
            refuse(name, new Fault("not an address and a port", "use the form localhost:1055 or :1055"));
            return Stream.empty();
        }
        boolean loopback = host.equals("localhost") || host.startsWith("127.") || host.equals("[::1]");
        return loopback ? Stream.empty() : Stream.of(new Port(port.getAsInt(), Transport.TCP));
    }

    private Optional<Path> path(String name) {
        try {
            return value(name).map(FilePath::parse);
        } catch (MalformedValue malformed) {
            malformed.faults().forEach(fault -> refuse(name, fault));
            return Optional.empty();
        }
    }

    private Optional<String> value(String name) {
        return Optional.ofNullable(userVariables.get(name)).filter(text -> !text.isEmpty());
    }

    private boolean has(String name) {
        return value(name).isPresent();
    }

    private void refuse(String name, Fault fault) {
        problems.add(Problem.input(Location.setting(name), fault.message(), fault.hint()));
    }
}
