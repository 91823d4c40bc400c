package io.culvert.settings;

import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What containerboot refuses by itself, told before it starts and all at once; and what we refuse because it would leak. */
final class TailscaleRefusals {

    /** Modes in which containerboot forwards between an address of its own choice and the mesh. */
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
                .forEach(
                        name -> refuse(
                                name,
                                "is refused: it forwards to an address of its own past the tunnel, which the guard stops",
                                "run a second container with Tailscale's own image for that, or announce a subnet by TS_ROUTES"));
        leaks();
        credentials();
        configuration();
        healthCheck();
        if (has("TS_KUBE_SECRET") && !given.containsKey("KUBERNETES_SERVICE_HOST")) {
            refuse("TS_KUBE_SECRET", "is set, but this is not Kubernetes", "set TS_STATE_DIR instead");
        }
    }

    /** What Go cannot read as a truth is containerboot's default here, which is true. */
    private void userspace() {
        if (!has("TS_USERSPACE")) {
            return;
        }
        Optional<Boolean> truth = truth("TS_USERSPACE");
        if (!truth.equals(Optional.of(false))) {
            refuse(
                    "TS_USERSPACE",
                    (truth.isPresent() ? "is true" : "is not false, and Tailscale takes that for true")
                            + ", which is refused: Tailscale would then forward exit traffic from its own sockets, which"
                            + " leave past the tunnel with the real address",
                    "remove it; " + Hints.here().tunDevice() + "; "
                            + Hints.here().netAdmin());
        }
    }

    private void leaks() {
        if (isTrue("TS_DEBUG_DNS_FORWARD_USE_ROUTES")) {
            refuse(
                    "TS_DEBUG_DNS_FORWARD_USE_ROUTES",
                    "is true, which is refused: Tailscale's own proxies would then leave past the tunnel with the real"
                            + " address",
                    "remove it");
        }
        if (isTrue("TS_FORCE_LINUX_BIND_TO_DEVICE")) {
            refuse(
                    "TS_FORCE_LINUX_BIND_TO_DEVICE",
                    "is true, which is refused: the guard knows Tailscale's packets by a mark that they would not bear",
                    "remove it");
        }
    }

    private void credentials() {
        Stream.of("TS_ID_TOKEN", "TS_AUDIENCE")
                .filter(name -> has(name) && !has("TS_CLIENT_ID"))
                .forEach(name -> refuse(name, "is set, but TS_CLIENT_ID is not", "set TS_CLIENT_ID too"));
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
        if (given.containsKey("TS_ROUTES")) { // Even empty it means something: no routes any more.
            refuse(
                    "TS_ROUTES",
                    "is set, and " + directory + " is too, which exclude each other",
                    "keep one of the two");
        }
        if (truth("TS_ACCEPT_DNS").isPresent()) {
            either(directory, "TS_ACCEPT_DNS");
        }
    }

    private void healthCheck() {
        if (has("TS_HEALTHCHECK_ADDR_PORT") && isTrue("TS_ENABLE_HEALTH_CHECK")) {
            refuse(
                    "TS_HEALTHCHECK_ADDR_PORT",
                    "is set, and TS_ENABLE_HEALTH_CHECK is too",
                    "keep TS_ENABLE_HEALTH_CHECK, and set TS_LOCAL_ADDR_PORT where its port matters");
        }
    }

    private void either(String one, String other) {
        if (has(one) && has(other)) {
            refuse(other, "is set, and " + one + " is too, which exclude each other", "keep one of the two");
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
