// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * Known error messages of Tailscale's programs, with an explanation and a hint. The first one that
 * matches applies.
 */
enum KnownError {
    KEY_USED(
            "authkey already used|auth ?key .*already.* used|API key \\S+ not valid",
            "TS_AUTHKEY",
            "the auth key has already been used, and it is not reusable",
            "generate a reusable key, or keep the node: mount a volume at TS_STATE_DIR and set TS_AUTH_ONCE=true"),
    KEY_EXPIRED(
            "authkey expired|auth ?key .*expired|API key .*expired",
            "TS_AUTHKEY",
            "the auth key has expired",
            "generate a new key, or keep the node's state, which needs no key: mount a volume at TS_STATE_DIR and set"
                    + " TS_AUTH_ONCE=true"),
    KEY_UNKNOWN(
            "API key does not exist|failed to parse auth-?key|unable to validate API key|invalid API token|invalid (pre )?auth ?key|AuthKey not found"
                    + "|invalid key",
            "TS_AUTHKEY",
            "the control server does not accept the auth key: it is unknown or was deleted",
            "copy the key again; for a key of a Headscale server, set --login-server in TS_EXTRA_ARGS"),
    TAGS(
            "requested tags .* are invalid or not permitted",
            "TS_EXTRA_ARGS",
            "the tags in --advertise-tags are not permitted for this auth key",
            "add the tags to tagOwners in the tailnet policy file, or generate the key with these tags"),
    FLAGS(
            "requires mentioning all",
            "TS_EXTRA_ARGS",
            "the saved state of the node has settings that are not given any more",
            "wait: Culvert restarts Tailscale with --reset, so that only the current settings apply"),
    OTHER_SERVER(
            "can't change --login-server without --force-reauth",
            "TS_EXTRA_ARGS",
            "the node is logged in to a different control server",
            "restore the previous --login-server, or use an empty TS_STATE_DIR and an auth key of the new server"),
    CLOCK(
            "certificate has expired or is not yet valid",
            "clock",
            "the control server's certificate is expired or not yet valid, according to this clock",
            "set the host's clock; if it is correct, renew the server's certificate"),
    CERTIFICATE(
            "certificate signed by unknown authority|certificate is not trusted",
            "TS_EXTRA_ARGS",
            "the control server's certificate is signed by an unknown authority",
            "mount the authority's certificate and set SSL_CERT_FILE to its path"),
    NO_TUN(
            "/dev/net/tun|CONFIG_TUN|tstun\\.New",
            "/dev/net/tun",
            "Tailscale cannot create its interface",
            () -> Hints.here().tunDevice() + "; " + Hints.here().netAdmin()),
    STATE(
            "(tailscaled\\.state|state ?dir|store\\.New|state file|StateDir).*"
                    + "(permission denied|read-only file system|no such file|not a directory|no space left)",
            "TS_STATE_DIR",
            "the node's state cannot be read or written in this directory",
            "mount a writable volume at this path"),
    FORWARDING(
            "Failed to enable IP forwarding|IP forwarding is disabled",
            "net.ipv4.ip_forward",
            "is 0, but packets have to be forwarded",
            () -> Hints.here().sysctl("net.ipv4.ip_forward", "1") + "; do the same for net.ipv6.conf.all.forwarding"),
    PORT_TAKEN(
            "(listen|bind)\\S* .*address already in use",
            "TS_TAILSCALED_EXTRA_ARGS",
            "a port of Tailscale is already in use in this network namespace",
            "stop the other program, or choose another port: --port=41642"),
    UNKNOWN_FLAG(
            "flag provided but not defined",
            "TS_EXTRA_ARGS",
            "this version of Tailscale does not support one of the flags (here or in TS_TAILSCALED_EXTRA_ARGS)",
            "correct the flag; see `tailscale up --help`"),
    LOGGED_OUT(
            "left running state \\(now in state \"?(NeedsLogin|NoState)",
            "tailscale",
            "the node is logged out: its node key has expired, or it was removed from the tailnet",
            "set TS_AUTHKEY for an automatic login, or open the login URL that follows"),
    REMOVED(
            "initial fetch failed 404: node not found",
            "tailscale",
            "the control server does not know this node: it was removed from the tailnet",
            "restart Culvert to log in again, with the key in TS_AUTHKEY or by the login URL that follows"),
    APPROVAL(
            "machine authorization required|To approve your machine",
            "tailscale",
            "the node is waiting for approval by an administrator",
            "approve it: https://login.tailscale.com/admin/machines, or use a pre-approved auth key"),
    UNREACHABLE(
            "Unable to connect to the Tailscale coordination server"
                    + "|(fetch control key: Get|register request: (Post|http 5))(?!.*(context canceled|use of closed))"
                    + "|hasn't received a network map|the network is down",
            "tailscale",
            "the control server cannot be reached; the tunnel and the proxy keep working",
            "check the server and its name; a server without TLS must have a private address"),
    CRASHED(
            "tailscaled exited|process already finished|failed to read from tailscaled|Error ensuring services are not",
            "tailscale",
            "tailscaled exited unexpectedly",
            "wait: it is restarted; set CULVERT_LOG=debug to see its output"),
    BOOT_LIMIT(
            "tailscale up failed: signal: killed|timed out waiting for tailscaled socket",
            "tailscale",
            "the login did not complete within a minute, which is containerboot's limit",
            "wait: it is restarted, and a pending login gets a new URL");

    private final Pattern pattern;
    private final String location;
    private final String message;

    @SuppressWarnings("ImmutableEnumChecker") // They have no state.
    private final Supplier<String> hint;

    KnownError(String pattern, String location, String message, String hint) {
        this(pattern, location, message, () -> hint);
    }

    /** @param hint evaluated when reported, as this class is initialized while the native image is built */
    KnownError(String pattern, String location, String message, Supplier<String> hint) {
        this.pattern = Pattern.compile(pattern);
        this.location = location;
        this.message = message;
        this.hint = hint;
    }

    /**
     * Returns the known error that a text contains.
     *
     * @param line a line of output, or the text of a health warning
     */
    static Optional<KnownError> findIn(String line) {
        return Arrays.stream(values())
                .filter(knownError -> knownError.pattern.matcher(line).find())
                .findFirst();
    }

    Problem problem() {
        return Problem.warning(
                location.startsWith("TS_") ? Location.setting(location) : Location.machine(location),
                message,
                hint.get());
    }
}
