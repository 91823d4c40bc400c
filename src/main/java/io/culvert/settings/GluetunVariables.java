// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.DidYouMean;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import io.culvert.settings.MalformedValue.Fault;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Gluetun's variables for a WireGuard server of one's own ({@code VPN_SERVICE_PROVIDER=custom}), translated to Culvert's, so that
 * its compose files work here. They count only where {@code VPN_SERVICE_PROVIDER} is set; Culvert's own settings take precedence.
 * Names, defaults and meanings are those of gluetun's Dockerfile and {@code internal/configuration/settings}.
 */
final class GluetunVariables {

    /** The variable that shows that a configuration was written for gluetun. */
    static final String PROVIDER = "VPN_SERVICE_PROVIDER";

    /** Where gluetun writes the forwarded port. */
    private static final String PORT_FILE = "/tmp/gluetun/forwarded_port";

    /** Variables whose value may be in a file. */
    private static final Set<String> SECRETS = Set.of("HTTPPROXY_USER", "HTTPPROXY_PASSWORD");

    /** Where gluetun looks for a WireGuard file, after the secret. */
    static final Path FILE = Path.of("/gluetun/wireguard/wg0.conf");

    private final Map<String, String> environment;
    private final FileRoot root;
    private final Problems problems;
    private final List<Path> sources = new ArrayList<>();

    private GluetunVariables(Map<String, String> environment, FileRoot root, Problems problems) {
        this.environment = environment;
        this.root = root;
        this.problems = problems;
    }

    /**
     * The result of a translation.
     *
     * @param environment with Culvert's settings added
     * @param origins gluetun's variable for each setting that was added
     * @param server the server that the variables describe, if no file does
     * @param sources the files that were read, or would be if they existed
     */
    record Translation(
            Map<String, String> environment,
            Map<String, String> origins,
            Optional<WireGuardVariables> server,
            List<Path> sources) {

        Translation {
            environment = Map.copyOf(environment);
            origins = Map.copyOf(origins);
            sources = List.copyOf(sources);
        }

        /** Returns a problem with a setting that was added, located at gluetun's variable. */
        Problem located(Problem problem) {
            if (problem.location() instanceof Location.Setting(String name) && origins.containsKey(name)) {
                return new Problem(
                        problem.kind(), Location.setting(origins.get(name)), problem.message(), problem.hint());
            }
            return problem;
        }
    }

    /** Translates the variables. Invalid input does not throw; it is added to the problems. */
    static Translation translate(Map<String, String> environment, FileRoot root, Problems problems) {
        return environment.getOrDefault(PROVIDER, "").isBlank()
                ? new Translation(environment, Map.of(), Optional.empty(), List.of())
                : new GluetunVariables(environment, root, problems).translate();
    }

    private Translation translate() {
        checkNames();
        boolean ownFile = isSet(Catalogue.WIREGUARD_CONFIG);
        Optional<Path> file = ownFile ? Optional.empty() : file();
        boolean isSupported = ownFile || checkType();
        Map<String, String> added = new HashMap<>();
        Map<String, String> origins = new HashMap<>();
        file.ifPresent(path -> added.put(Catalogue.WIREGUARD_CONFIG.name(), path.toString()));
        Optional<WireGuardVariables> server = ownFile || file.isPresent() || !isSupported ? Optional.empty() : server();
        file.ifPresent(this::reportIgnored);
        for (GluetunVariable variable : GluetunVariable.ALL) {
            Optional<String> name = variable.names().stream()
                    .filter(each -> given(each).isPresent())
                    .findFirst();
            name.ifPresent(given -> translate(variable, given, added, origins));
        }
        if (!"off".equals(added.getOrDefault(Catalogue.FORWARDED_PORT.name(), "off"))
                && !isSet(Catalogue.FORWARDED_PORT_PATH)) {
            added.putIfAbsent(Catalogue.FORWARDED_PORT_PATH.name(), PORT_FILE);
            origins.putIfAbsent(Catalogue.FORWARDED_PORT_PATH.name(), PROVIDER);
        }
        if (!isSet(Catalogue.MESH)
                && environment.keySet().stream().noneMatch(name -> name.startsWith(TailscaleNames.PREFIX))) {
            added.put(Catalogue.MESH.name(), MeshSettings.Kind.NONE.toString());
            origins.put(Catalogue.MESH.name(), PROVIDER);
        }
        Map<String, String> all = new HashMap<>(environment);
        all.putAll(added);
        return new Translation(all, origins, server, sources);
    }

    private void translate(
            GluetunVariable variable, String name, Map<String, String> added, Map<String, String> origins) {
        String text = given(name).orElseThrow();
        switch (variable.effect()) {
            case GluetunVariable.Sets(Setting<?> setting, var convert) -> {
                Optional<String> converted = convert.apply(text);
                // The first one counts where two set the same, unless it is off.
                if (converted.isPresent()
                        && !isSet(setting)
                        && "off".equals(added.getOrDefault(setting.name(), "off"))) {
                    added.put(setting.name(), converted.get());
                    origins.put(setting.name(), name);
                }
            }
            case GluetunVariable.HasNoEffect(var unless, String reason, String hint) -> {
                if (!unless.contains(text.toLowerCase(Locale.ROOT))) {
                    problems.add(Problem.warning(Location.setting(name), reason, hint));
                }
            }
            case GluetunVariable.IsServers _, GluetunVariable.IsNotNeeded _ -> {}
        }
    }

    /** Reports other providers and other kinds of VPN; returns whether the variables describe a WireGuard server. */
    private boolean checkType() {
        String type =
                value("VPN_TYPE").map(text -> text.toLowerCase(Locale.ROOT)).orElse("");
        boolean hasKey = value("WIREGUARD_PRIVATE_KEY").isPresent()
                || secret("WIREGUARD_PRIVATE_KEY").isPresent();
        if (!type.equals("wireguard") && !(type.isEmpty() && hasKey)) {
            problems.add(Problem.input(
                    Location.setting("VPN_TYPE"),
                    type.isEmpty() ? "not set, which means OpenVPN" : "'" + type + "' is not supported",
                    "set VPN_TYPE=wireguard, and the server with WIREGUARD_ variables or with the provider's WireGuard"
                            + " file in CULVERT_WIREGUARD_CONFIG"));
            return false;
        }
        return true;
    }

    /** Returns the server that the variables describe. */
    private Optional<WireGuardVariables> server() {
        String provider = value(PROVIDER).orElseThrow();
        Map<String, String> values = new HashMap<>();
        for (String key : WireGuardVariables.KEYS) {
            secret(key).or(() -> value(key)).ifPresent(text -> values.put(key, text));
        }
        if (!provider.equalsIgnoreCase("custom")
                && !(values.containsKey("WIREGUARD_PUBLIC_KEY") && values.containsKey("WIREGUARD_ENDPOINT_IP"))) {
            problems.add(Problem.input(
                    Location.setting(PROVIDER),
                    "'" + provider + "': Culvert has no lists of providers' servers",
                    "download a WireGuard file from the provider, mount it and set CULVERT_WIREGUARD_CONFIG to its"
                            + " path; or set WIREGUARD_PUBLIC_KEY and WIREGUARD_ENDPOINT_IP"));
            return Optional.empty();
        }
        return WireGuardVariables.of(values, problems);
    }

    /** Returns the WireGuard file that gluetun would use. */
    private Optional<Path> file() {
        Path secret = Path.of(value("WIREGUARD_CONF_SECRETFILE").orElse("/run/secrets/wg0.conf"));
        return Stream.of(secret, FILE)
                .filter(path -> {
                    sources.add(path);
                    return Files.isRegularFile(root.resolve(path));
                })
                .findFirst();
    }

    private void reportIgnored(Path file) {
        List<String> ignored = WireGuardVariables.KEYS.stream()
                .filter(key -> value(key).isPresent())
                .toList();
        if (!ignored.isEmpty()) {
            problems.add(Problem.warning(
                    Location.setting(ignored.getFirst()),
                    "has no effect, because " + file + " exists"
                            + (ignored.size() == 1
                                    ? ""
                                    : "; the same for " + String.join(", ", ignored.subList(1, ignored.size()))),
                    "change the file, or remove it"));
        }
    }

    /** Returns the content of a variable's secret file, if it exists or is named. */
    private Optional<String> secret(String name) {
        Optional<String> named = value(name + "_SECRETFILE").or(() -> value(Setting.fileVariable(name)));
        Path path;
        try {
            path = FilePath.parsePossibleSecret(named.orElse("/run/secrets/" + name.toLowerCase(Locale.ROOT)));
            sources.add(path);
            return named.isEmpty() && !Files.exists(root.resolve(path))
                    ? Optional.empty()
                    : Optional.of(ValueFile.read(root.resolve(path), path).strip());
        } catch (MalformedValue malformed) {
            String variable =
                    value(name + "_SECRETFILE").isPresent() ? name + "_SECRETFILE" : Setting.fileVariable(name);
            for (Fault fault : malformed.faults()) {
                problems.add(Problem.input(Location.setting(variable), fault.message(), fault.hint()));
            }
            return Optional.empty();
        }
    }

    /** Warns of names that look like gluetun's but are not. */
    private void checkNames() {
        Collection<String> known = GluetunVariable.allNames();
        new TreeMap<>(environment)
                .keySet().stream()
                        .filter(name -> GluetunVariable.PREFIXES.stream().anyMatch(name::startsWith))
                        .filter(name -> !known.contains(name))
                        .forEach(name -> problems.add(Problem.warning(
                                Location.setting(name),
                                "unknown variable",
                                DidYouMean.nearest(name, known)
                                        .map(nearest -> "did you mean " + nearest + "?")
                                        .orElse("remove it"))));
    }

    private boolean isSet(Setting<?> setting) {
        return ConfiguredValue.firstVariable(setting, environment).isPresent();
    }

    /** Returns the value, or the content of its secret file. */
    private Optional<String> given(String name) {
        return SECRETS.contains(name) ? secret(name).or(() -> value(name)) : value(name);
    }

    private Optional<String> value(String name) {
        return Optional.ofNullable(environment.get(name)).map(String::strip).filter(text -> !text.isEmpty());
    }
}
