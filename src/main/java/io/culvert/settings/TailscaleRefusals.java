package io.culvert.settings;

import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Checks for variables that containerboot would reject later, one at a time, and for those that Culvert refuses because
 * they would leak.
 */
final class TailscaleRefusals {

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

    private final Map<String, String> given;
    private final Problems problems;

    TailscaleRefusals(Map<String, String> given, Problems problems) {
        this.given = given;
        this.problems = problems;
    }

    void check() {
        userspace();
        PROXY_MODES.stream()
                .filter(this::has)
                .forEach(name -> refuse(
                        name,
                        "refused, because it forwards outside the tunnel, which the kill switch blocks",
                        "run a second container with Tailscale's own image for that, or advertise a subnet"
                                + " with TS_ROUTES"));
        leaks();
        credentials();
        configuration();
        healthCheck();
        if (has("TS_KUBE_SECRET") && !given.containsKey("KUBERNETES_SERVICE_HOST")) {
            refuse("TS_KUBE_SECRET", "set outside Kubernetes", "set TS_STATE_DIR instead");
        }
    }

    /** Checks TS_USERSPACE. A value that Go does not parse as a boolean is true for containerboot, its default here. */
    private void userspace() {
        if (!has("TS_USERSPACE")) {
            return;
        }
        Optional<Boolean> truth = truth("TS_USERSPACE");
        if (!truth.equals(Optional.of(false))) {
            refuse(
                    "TS_USERSPACE",
                    (truth.isPresent() ? "true is refused" : "a value other than false counts as true and is refused")
                            + ", because Tailscale would forward the traffic of exit-node clients outside the tunnel,"
                            + " with the real address",
                    "remove it; " + Hints.here().tunDevice() + "; "
                            + Hints.here().netAdmin());
        }
    }

    private void leaks() {
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

    private void credentials() {
        Stream.of("TS_ID_TOKEN", "TS_AUDIENCE")
                .filter(name -> has(name) && !has("TS_CLIENT_ID"))
                .forEach(name -> refuse(name, "set without TS_CLIENT_ID", "set TS_CLIENT_ID too"));
        either("TS_ID_TOKEN", "TS_CLIENT_SECRET");
        either("TS_ID_TOKEN", "TS_AUDIENCE");
        either("TS_AUDIENCE", "TS_CLIENT_SECRET");
        String key = has("TS_AUTHKEY") ? "TS_AUTHKEY" : "TS_AUTH_KEY";
        Stream.of("TS_CLIENT_ID", "TS_CLIENT_SECRET", "TS_ID_TOKEN", "TS_AUDIENCE")
                .forEach(other -> either(key, other));
    }

    private void configuration() {
        String directory = "TS_EXPERIMENTAL_VERSIONED_CONFIG_DIR";
        if (!has(directory)) {
            return;
        }
        NOT_WITH_CONFIG.forEach(name -> either(directory, name));
        if (given.containsKey("TS_ROUTES")) { // An empty value has a meaning, too: remove all routes.
            refuse("TS_ROUTES", "cannot be combined with " + directory, "set only one of them");
        }
        if (truth("TS_ACCEPT_DNS").isPresent()) {
            either(directory, "TS_ACCEPT_DNS");
        }
    }

    private void healthCheck() {
        if (has("TS_HEALTHCHECK_ADDR_PORT") && isTrue("TS_ENABLE_HEALTH_CHECK")) {
            refuse(
                    "TS_HEALTHCHECK_ADDR_PORT",
                    "cannot be combined with TS_ENABLE_HEALTH_CHECK",
                    "use TS_ENABLE_HEALTH_CHECK, with TS_LOCAL_ADDR_PORT for another port");
        }
    }

    private void either(String one, String other) {
        if (has(one) && has(other)) {
            refuse(other, "cannot be combined with " + one, "set only one of them");
        }
    }

    private boolean isTrue(String name) {
        return truth(name).orElse(false);
    }

    private Optional<Boolean> truth(String name) {
        return GoFlags.truthOf(given.getOrDefault(name, ""));
    }

    private boolean has(String name) {
        return !given.getOrDefault(name, "").isEmpty();
    }

    private void refuse(String name, String what, String cure) {
        problems.add(Problem.input(Place.setting(name), what, cure));
    }
}
