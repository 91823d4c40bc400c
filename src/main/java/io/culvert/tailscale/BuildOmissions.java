// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.settings.GoFlags;
import io.culvert.settings.TailscaleSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The features that Tailscale's programs were built without, as in the minimal image, and the settings that need them.
 * The programs themselves would not start, or would silently ignore the setting.
 *
 * @param features the omitted features by their build tags (tailscale: feature/featuretags)
 */
record BuildOmissions(Set<String> features) {

    /** A file in the directory of the programs, with one omitted feature per line. */
    private static final String FILE = "tailscale.without";

    /** Its only line in an image without any of the programs. */
    private static final String TAILSCALE = "tailscale";

    /**
     * A setting that needs a feature.
     *
     * @param feature the feature for messages
     * @param variable the setting that needs it
     * @param flag the flag in the variable that needs it, or the beginning of its value; empty if any value does
     * @param buildTag its build tag
     */
    record Need(String feature, String variable, String flag, String buildTag) {

        private static Need variable(String feature, String variable, String buildTag) {
            return new Need(feature, variable, "", buildTag);
        }

        private static Need argument(String feature, String flag, String buildTag) {
            return new Need(feature, "TS_EXTRA_ARGS", "--" + flag, buildTag);
        }

        private static Need daemon(String feature, String flag, String buildTag) {
            return new Need(feature, "TS_TAILSCALED_EXTRA_ARGS", "--" + flag, buildTag);
        }

        /** Returns the setting as users write it. */
        @Override
        public String toString() {
            return flag.isEmpty() ? variable : variable + "=" + flag;
        }

        private boolean isUsedIn(TailscaleSettings settings) {
            return switch (variable) {
                case "TS_EXTRA_ARGS" -> isSet(settings.upArguments());
                case "TS_TAILSCALED_EXTRA_ARGS" -> isSet(settings.daemonArguments());
                default -> {
                    String text = settings.environment().getOrDefault(variable, "");
                    yield settings.userVariables().contains(variable)
                            && !text.isEmpty()
                            && !GoFlags.isFalse(text)
                            && text.startsWith(flag);
                }
            };
        }

        private boolean isSet(GoFlags arguments) {
            String[] parts = flag.substring(2).split("=", 2);
            Optional<String> value = arguments.value(parts[0]).filter(text -> !GoFlags.isFalse(text));
            return value.filter(text -> parts.length == 1 || text.startsWith(parts[1]))
                    .isPresent();
        }
    }

    static final List<Need> NEEDS = List.of(
            Need.variable("Tailscale's own SOCKS5 proxy", "TS_SOCKS5_SERVER", "outboundproxy"),
            Need.variable("Tailscale's own HTTP proxy", "TS_OUTBOUND_HTTP_PROXY_LISTEN", "outboundproxy"),
            Need.daemon("Tailscale's own SOCKS5 proxy", "socks5-server", "outboundproxy"),
            Need.daemon("Tailscale's own HTTP proxy", "outbound-http-proxy-listen", "outboundproxy"),
            Need.variable("Tailscale Serve and Funnel", "TS_SERVE_CONFIG", "serve"),
            Need.argument("Tailscale SSH", "ssh", "ssh"),
            Need.argument("subnet routes of other nodes", "accept-routes", "useroutes"),
            Need.argument("app connectors", "advertise-connector", "appconnectors"),
            Need.argument("device posture", "report-posture", "posture"),
            Need.variable("the node's state in a Kubernetes Secret", "TS_KUBE_SECRET", "kube"),
            Need.daemon("the node's state in a Kubernetes Secret", "state=kube:", "kube"),
            Need.daemon("the node's state in AWS", "state=arn:", "aws"),
            Need.daemon("the node's state sealed by a TPM", "encrypt-state", "tpm"),
            Need.daemon("keys in a TPM", "hardware-attestation", "tpm"),
            Need.variable("login by an identity provider", "TS_ID_TOKEN", "identityfederation"),
            Need.variable("login by an identity provider", "TS_AUDIENCE", "identityfederation"),
            Need.argument("login by an identity provider", "id-token", "identityfederation"),
            Need.argument("login by an identity provider", "audience", "identityfederation"),
            new Need("firewall rules by iptables", "TS_DEBUG_FIREWALL_MODE", "iptables", "iptables"),
            Need.variable("the network map kept on disk", "TS_USE_CACHED_NETMAP", "cachenetmap"),
            Need.variable("the list of local services", "TS_PORTLIST", "portlist"),
            Need.variable("the upload of logs", "TS_LOG_TARGET", "logtail"),
            Need.daemon("Tailscale's debug server", "debug", "debug"),
            Need.daemon("BIRD", "bird-socket", "bird"));

    BuildOmissions {
        features = Set.copyOf(features);
    }

    /** Returns the features that the programs in a directory lack. */
    static BuildOmissions of(Path directory) {
        try {
            return new BuildOmissions(
                    Files.readAllLines(directory.resolve(FILE)).stream().collect(Collectors.toSet()));
        } catch (NoSuchFileException _) {
            return new BuildOmissions(Set.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether there is no Tailscale at all, as in the wireguard image. */
    boolean isWholeTailscale() {
        return features.contains(TAILSCALE);
    }

    /** Returns an error for each setting that needs an omitted feature. */
    List<Problem> requiredFeatures(TailscaleSettings settings) {
        return NEEDS.stream()
                .filter(need -> features.contains(need.buildTag()) && need.isUsedIn(settings))
                .map(need -> Problem.input(
                        Location.setting(need.variable()),
                        (need.flag().isEmpty() ? "needs" : need.flag() + " needs")
                                + " a feature that the minimal image does not include: " + need.feature(),
                        "use the full image (a tag without '-minimal'), or remove the setting"))
                .toList();
    }

    /** Returns the omitted features and their settings as a Markdown table for the documentation. */
    static String table() {
        StringBuilder table = new StringBuilder("| feature | set by |\n|---|---|\n");
        NEEDS.stream()
                .map(Need::feature)
                .distinct()
                .forEach(feature -> table.append("| %s | %s |\n"
                        .formatted(
                                feature,
                                NEEDS.stream()
                                        .filter(need -> need.feature().equals(feature))
                                        .map(need -> "`" + need + "`")
                                        .collect(Collectors.joining(", ")))));
        return table.toString();
    }
}
