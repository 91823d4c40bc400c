// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.DidYouMean;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The variables that Tailscale's programs read. They change with its releases, so an unknown one is passed on with a
 * warning.
 */
final class TailscaleNames {

    static final String PREFIX = "TS_";

    /** Variables whose value may also be in a file, which {@code NAME_FILE} names. */
    static final List<String> SECRET = List.of("TS_AUTHKEY", "TS_AUTH_KEY", "TS_CLIENT_SECRET", "TS_ID_TOKEN");

    /**
     * The variables that containerboot, tailscaled and its libraries read, except {@code TS_DEBUG_*} (tailscale
     * 1.98.9).
     */
    private static final Set<String> KNOWN = Set.of(
            "TS_ACCEPT_DNS",
            "TS_ALLOW_ADMIN_CONSOLE_REMOTE_UPDATE",
            "TS_AUDIENCE",
            "TS_AUTHKEY",
            "TS_AUTH_KEY",
            "TS_AUTH_ONCE",
            "TS_BIND_TO_INTERFACE_BY_ROUTE",
            "TS_BOOT_TIMEOUT",
            "TS_CERT_SHARE_MODE",
            "TS_CLIENT_ID",
            "TS_CLIENT_SECRET",
            "TS_DEST_IP",
            "TS_DISABLE_PORTMAPPER",
            "TS_DISABLE_SSH_SERVER",
            "TS_DISABLE_TAILDROP",
            "TS_DISABLE_UPNP",
            "TS_DNS_FORWARD_SKIP_TCP_RETRY",
            "TS_EGRESS_PROXIES_CONFIG_PATH",
            "TS_ENABLE_HEALTH_CHECK",
            "TS_ENABLE_METRICS",
            "TS_ENABLE_RAW_DISCO",
            "TS_EXPERIMENTAL_CERT_SHARE",
            "TS_EXPERIMENTAL_DEST_DNS_NAME",
            "TS_EXPERIMENTAL_ENABLE_FORWARDING_OPTIMIZATIONS",
            "TS_EXPERIMENTAL_SERVICE_AUTO_ADVERTISEMENT",
            "TS_EXPERIMENTAL_VERSIONED_CONFIG_DIR",
            "TS_EXTRA_ARGS",
            "TS_FORCE_LINUX_BIND_TO_DEVICE",
            "TS_FORCE_NOISE_443",
            "TS_HEALTHCHECK_ADDR_PORT",
            "TS_HOSTNAME",
            "TS_ID_TOKEN",
            "TS_INGRESS_PROXIES_CONFIG_PATH",
            "TS_KUBERNETES_READ_API_SERVER_ADDRESS_FROM_ENV",
            "TS_KUBE_SECRET",
            "TS_LOCAL_ADDR_PORT",
            "TS_LOGS_DIR",
            "TS_LOG_TARGET",
            "TS_LOG_VERBOSITY",
            "TS_NETSTACK_KEEPALIVE_IDLE",
            "TS_NETSTACK_KEEPALIVE_INTERVAL",
            "TS_NO_LOGS_NO_SUPPORT",
            "TS_OUTBOUND_HTTP_PROXY_LISTEN",
            "TS_PERMIT_CERT_UID",
            "TS_PORTLIST",
            "TS_ROUTES",
            "TS_SERVE_CONFIG",
            "TS_SOCKET",
            "TS_SOCKS5_SERVER",
            "TS_SSH_DISABLE_FORWARDING",
            "TS_SSH_DISABLE_PTY",
            "TS_SSH_DISABLE_SFTP",
            "TS_STATE_DIR",
            "TS_TAILNET_TARGET_FQDN",
            "TS_TAILNET_TARGET_IP",
            "TS_TAILSCALED_EXTRA_ARGS",
            "TS_TEST_FAKE_NETFILTER",
            "TS_TEST_ONLY_ROOT",
            "TS_TUN_DISABLE_TCP_GRO",
            "TS_TUN_DISABLE_UDP_GRO",
            "TS_USERSPACE",
            "TS_USE_CACHED_NETMAP",
            "TS_USE_CONTROL_DIAL_PLAN");

    private TailscaleNames() {}

    /** Warns about every unknown name. */
    static void check(Collection<String> names, Problems problems) {
        Set<String> knownNames = new TreeSet<>(KNOWN);
        SECRET.forEach(name -> knownNames.add(Setting.fileVariable(name)));
        names.stream()
                .filter(name -> name.startsWith(PREFIX) && !name.startsWith("TS_DEBUG_") && !knownNames.contains(name))
                .sorted()
                .forEach(name -> problems.add(Problem.warning(
                        Location.setting(name),
                        "unknown variable of Tailscale; passed on unchanged",
                        hint(name, knownNames))));
    }

    private static String hint(String name, Set<String> knownNames) {
        return DidYouMean.nearest(name.substring(PREFIX.length()), suffixes(knownNames))
                .map(suffix -> "did you mean " + PREFIX + suffix + "?")
                .orElse("remove it, unless your version of Tailscale supports it");
    }

    /** Returns the names without their prefix, which would make all of them similar. */
    private static List<String> suffixes(Set<String> knownNames) {
        return knownNames.stream().map(name -> name.substring(PREFIX.length())).toList();
    }
}
