// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Checks for variables that containerboot would reject later, one at a time, and for those that Culvert refuses because
 * they would leak.
 */
final class TailscaleVariableChecks {

    /** Variables for modes in which containerboot forwards between an address of its own and the tailnet. */
    private static final List<String> PROXY_MODES = List.of(
            "TS_DEST_IP",
            "TS_EXPERIMENTAL_DEST_DNS_NAME",
            "TS_TAILNET_TARGET_IP",
            "TS_TAILNET_TARGET_FQDN",
            "TS_EGRESS_PROXIES_CONFIG_PATH",
            "TS_INGRESS_PROXIES_CONFIG_PATH");

    private static final List<String> NOT_WITH_CONFIG = List.of(
            "TS_HOSTNAME",
            "TS_EXTRA_ARGS",
            "TS_AUTHKEY",
            "TS_AUTH_KEY",
            "TS_CLIENT_ID",
            "TS_CLIENT_SECRET",
            "TS_ID_TOKEN",
            "TS_AUDIENCE");

    private final Map<String, String> variables;
    private final Problems problems;

    TailscaleVariableChecks(Map<String, String> variables, Problems problems) {
        this.variables = variables;
        this.problems = problems;
    }

    void check() {
        checkUserspace();
        PROXY_MODES.stream()
                .filter(this::has)
                .forEach(name -> refuse(
                        name,
                        "refused, because it forwards outside the tunnel, which the kill switch blocks",
                        "run a second container with Tailscale's own image for that, or advertise a subnet"
                                + " with TS_ROUTES"));
        checkLeaks();
        checkCredentials();
        checkConfigurationDirectory();
        checkHealthCheck();
        if (has("TS_KUBE_SECRET") && !variables.containsKey("KUBERNETES_SERVICE_HOST")) {
            refuse("TS_KUBE_SECRET", "set outside Kubernetes", "set TS_STATE_DIR instead");
        }
    }

    /** Checks TS_USERSPACE. A value that Go does not parse as a boolean is true for containerboot, its default here. */
    private void checkUserspace() {
        if (!has("TS_USERSPACE")) {
            return;
        }
        Optional<Boolean> booleanValue = booleanValue("TS_USERSPACE");
        if (!booleanValue.equals(Optional.of(false))) {
            refuse(
                    "TS_USERSPACE",
                    (booleanValue.isPresent()
                                    ? "true is refused"
                                    : "a value other than false counts as true and is refused")
                            + ", because Tailscale would forward the traffic of exit-node clients outside the tunnel,"
                            + " with the real address",
                    "remove it; " + Hints.here().tunDevice() + "; "
                            + Hints.here().netAdmin());
        }
    }

    private void checkLeaks() {
        if (isTrue("TS_DEBUG_DNS_FORWARD_USE_ROUTES")) {
            refuse(
                    "TS_DEBUG_DNS_FORWARD_USE_ROUTES",
                    "true is refused, because Tailscale's own proxies would connect outside the tunnel, with the real"
                            + " address",
                    "remove it");
        }
        if (isTrue("TS_FORCE_LINUX_BIND_TO_DEVICE")) {
            refuse(
                    "TS_FORCE_LINUX_BIND_TO_DEVICE",
                    "true is refused, because Tailscale's packets would not have the mark by which the kill switch"
                            + " recognizes them",
                    "remove it");
        }
    }

    private void checkCredentials() {
        Stream.of("TS_ID_TOKEN", "TS_AUDIENCE")
                .filter(name -> has(name) && !has("TS_CLIENT_ID"))
                .forEach(name -> refuse(name, "set without TS_CLIENT_ID", "set TS_CLIENT_ID too"));
        refuseBoth("TS_ID_TOKEN", "TS_CLIENT_SECRET");
        refuseBoth("TS_ID_TOKEN", "TS_AUDIENCE");
        refuseBoth("TS_AUDIENCE", "TS_CLIENT_SECRET");
        String key = has("TS_AUTHKEY") ? "TS_AUTHKEY" : "TS_AUTH_KEY";
        Stream.of("TS_CLIENT_ID", "TS_CLIENT_SECRET", "TS_ID_TOKEN", "TS_AUDIENCE")
                .forEach(other -> refuseBoth(key, other));
    }

    private void checkConfigurationDirectory() {
        String directory = "TS_EXPERIMENTAL_VERSIONED_CONFIG_DIR";
        if (!has(directory)) {
            return;
        }
        NOT_WITH_CONFIG.forEach(name -> refuseBoth(directory, name));
        if (variables.containsKey("TS_ROUTES")) { // An empty value has a meaning, too: remove all routes.
            refuse("TS_ROUTES", "cannot be combined with " + directory, "set only one of them");
        }
        if (booleanValue("TS_ACCEPT_DNS").isPresent()) {
            refuseBoth(directory, "TS_ACCEPT_DNS");
        }
    }

    private void checkHealthCheck() {
        if (has("TS_HEALTHCHECK_ADDR_PORT") && isTrue("TS_ENABLE_HEALTH_CHECK")) {
            refuse(
                    "TS_HEALTHCHECK_ADDR_PORT",
                    "cannot be combined with TS_ENABLE_HEALTH_CHECK",
                    "use TS_ENABLE_HEALTH_CHECK, with TS_LOCAL_ADDR_PORT for another port");
        }
    }

    private void refuseBoth(String one, String other) {
        if (has(one) && has(other)) {
            refuse(other, "cannot be combined with " + one, "set only one of them");
        }
    }

    private boolean isTrue(String name) {
        return booleanValue(name).orElse(false);
    }

    private Optional<Boolean> booleanValue(String name) {
        return GoFlags.parseBoolean(variables.getOrDefault(name, ""));
    }

    private boolean has(String name) {
        return !variables.getOrDefault(name, "").isEmpty();
    }

    private void refuse(String name, String message, String hint) {
        problems.add(Problem.input(Location.setting(name), message, hint));
    }
}
