// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A server that variables describe, as the text of a WireGuard file.
 *
 * @param text the file; it contains the private key
 * @param variables the variable of each line
 */
public record WireGuardVariables(String text, List<String> variables) {

    /** The name of the server, where those of files are their paths. */
    public static final Path NAME = Path.of("environment");

    /** Gluetun's variables, in the order of the lines. */
    static final List<String> KEYS = List.of(
            "WIREGUARD_PRIVATE_KEY",
            "WIREGUARD_ADDRESSES",
            "WIREGUARD_ADDRESS",
            "WIREGUARD_MTU",
            "WIREGUARD_PUBLIC_KEY",
            "WIREGUARD_PRESHARED_KEY",
            "WIREGUARD_ALLOWED_IPS",
            "WIREGUARD_PERSISTENT_KEEPALIVE_INTERVAL",
            "WIREGUARD_ENDPOINT_IP",
            "WIREGUARD_ENDPOINT_PORT",
            "VPN_ENDPOINT_IP",
            "VPN_ENDPOINT_PORT");

    private static final List<String> REQUIRED = List.of(
            "WIREGUARD_PRIVATE_KEY",
            "WIREGUARD_ADDRESSES",
            "WIREGUARD_PUBLIC_KEY",
            "WIREGUARD_ENDPOINT_IP",
            "WIREGUARD_ENDPOINT_PORT");

    private static final Map<String, String> OLDER_NAMES = Map.of(
            "WIREGUARD_ADDRESSES", "WIREGUARD_ADDRESS",
            "WIREGUARD_ENDPOINT_IP", "VPN_ENDPOINT_IP",
            "WIREGUARD_ENDPOINT_PORT", "VPN_ENDPOINT_PORT");

    /** A duration of Go's, in hours, minutes and seconds. */
    private static final Pattern DURATION = Pattern.compile("(?:(\\d{1,4})h)?(?:(\\d{1,5})m)?(?:(\\d{1,6})s)?|0");

    public WireGuardVariables {
        variables = List.copyOf(variables);
    }

    /** Returns the server; empty if a value is malformed, which is added to the problems. */
    static Optional<WireGuardVariables> of(Map<String, String> values, Problems problems) {
        Builder builder = new Builder(values);
        Problems own = new Problems();
        boolean isComplete = builder.build(own);
        problems.addAll(own.all());
        if (!isComplete) {
            return Optional.empty();
        }
        return Optional.of(
                new WireGuardVariables(String.join("\n", builder.lines) + "\n", List.copyOf(builder.variables)));
    }

    /** Returns a problem with a line of the text, located at its variable. */
    public Problem located(Problem problem) {
        if (problem.location() instanceof Location.InFile(Path file, int line, int _)
                && file.equals(NAME)
                && line > 0
                && line <= variables.size()) {
            return new Problem(
                    problem.kind(), Location.setting(variables.get(line - 1)), problem.message(), problem.hint());
        }
        return problem;
    }

    /** Hides the key. */
    @Override
    public String toString() {
        return "WireGuardVariables" + variables;
    }

    private static final class Builder {
        private final Map<String, String> values;
        private final List<String> lines = new ArrayList<>();
        private final List<String> variables = new ArrayList<>();

        Builder(Map<String, String> values) {
            this.values = values;
        }

        boolean build(Problems problems) {
            reportMissing(problems);
            values.forEach((name, text) -> checkSingleLine(name, text, problems));
            Optional<Integer> keepalive = keepalive(problems);
            if (problems.hasErrors() || keepalive.isEmpty()) {
                return false;
            }
            String addresses = nameOf("WIREGUARD_ADDRESSES").orElseThrow();
            String host = nameOf("WIREGUARD_ENDPOINT_IP").orElseThrow();
            String port = nameOf("WIREGUARD_ENDPOINT_PORT").orElseThrow();
            section("[Interface]", "WIREGUARD_PRIVATE_KEY");
            line("PrivateKey", "WIREGUARD_PRIVATE_KEY", value("WIREGUARD_PRIVATE_KEY"));
            line("Address", addresses, value(addresses));
            if (!values.getOrDefault("WIREGUARD_MTU", "0").equals("0")) {
                line("MTU", "WIREGUARD_MTU", value("WIREGUARD_MTU"));
            }
            section("[Peer]", "WIREGUARD_PUBLIC_KEY");
            line("PublicKey", "WIREGUARD_PUBLIC_KEY", value("WIREGUARD_PUBLIC_KEY"));
            if (values.containsKey("WIREGUARD_PRESHARED_KEY")) {
                line("PresharedKey", "WIREGUARD_PRESHARED_KEY", value("WIREGUARD_PRESHARED_KEY"));
            }
            line(
                    "AllowedIPs",
                    "WIREGUARD_ALLOWED_IPS",
                    values.getOrDefault("WIREGUARD_ALLOWED_IPS", "0.0.0.0/0, ::/0"));
            if (keepalive.get() > 0) {
                line("PersistentKeepalive", "WIREGUARD_PERSISTENT_KEEPALIVE_INTERVAL", String.valueOf(keepalive.get()));
            }
            String address = value(host);
            line(
                    "Endpoint",
                    host,
                    (address.indexOf(':') >= 0 && !address.startsWith("[") ? "[" + address + "]" : address) + ":"
                            + value(port));
            return true;
        }

        private Optional<Integer> keepalive(Problems problems) {
            String text = values.getOrDefault("WIREGUARD_PERSISTENT_KEEPALIVE_INTERVAL", "0");
            Matcher matcher = DURATION.matcher(text);
            if (!matcher.matches() || text.isEmpty()) {
                problems.add(Problem.input(
                        Location.setting("WIREGUARD_PERSISTENT_KEEPALIVE_INTERVAL"),
                        "not a duration",
                        "use seconds, such as 25s"));
                return Optional.empty();
            }
            return Optional.of(
                    3600 * number(matcher.group(1)) + 60 * number(matcher.group(2)) + number(matcher.group(3)));
        }

        private static int number(@Nullable String digits) {
            return digits == null ? 0 : Integer.parseInt(digits);
        }

        private void reportMissing(Problems problems) {
            REQUIRED.stream()
                    .filter(name -> nameOf(name).isEmpty())
                    .forEach(name -> problems.add(Problem.input(
                            Location.setting(name),
                            "not set, and there is no " + GluetunVariables.FILE,
                            "set it to what the provider's file says")));
        }

        /** A line end would let one variable write the lines of others. */
        private static void checkSingleLine(String name, String text, Problems problems) {
            if (text.chars().anyMatch(Character::isISOControl) || text.indexOf('#') >= 0) {
                problems.add(Problem.input(
                        Location.setting(name),
                        "contains a line end, a control character or a '#'",
                        "use the value alone"));
            }
        }

        /** Returns the variable that is set: this one, or its older name. */
        private Optional<String> nameOf(String name) {
            return Stream.of(name, OLDER_NAMES.getOrDefault(name, name))
                    .filter(values::containsKey)
                    .findFirst();
        }

        private String value(String name) {
            return Objects.requireNonNull(values.get(name));
        }

        private void section(String title, String variable) {
            lines.add(title);
            variables.add(variable);
        }

        private void line(String key, String variable, String text) {
            lines.add(key + " = " + text);
            variables.add(variable);
        }
    }
}
