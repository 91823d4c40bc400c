package io.culvert.mesh.tailscale;

import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * What Tailscale's programs print or report when something is wrong, and what a person does about it. The first that fits
 * counts.
 */
enum Complaint {
    KEY_USED(
            "authkey already used|auth ?key .*already.* used|API key \\S+ not valid",
            "TS_AUTHKEY",
            "the key has been used already, and it is good for one node only",
            "make a reusable key, or keep the node: mount a volume to TS_STATE_DIR and set TS_AUTH_ONCE=true"),
    KEY_EXPIRED(
            "authkey expired|auth ?key .*expired|API key .*expired",
            "TS_AUTHKEY",
            "the key has expired",
            "make a new key; a node that keeps its state (a volume at TS_STATE_DIR, TS_AUTH_ONCE=true) needs none"),
    KEY_UNKNOWN(
            "API key does not exist|failed to parse auth-?key|unable to validate API key|invalid API token|invalid (pre )?auth ?key|AuthKey not found"
                    + "|invalid key",
            "TS_AUTHKEY",
            "the control server does not know the key, or knows it no longer",
            "copy the key anew; a Headscale's key needs --login-server in TS_EXTRA_ARGS"),
    TAGS(
            "requested tags .* are invalid or not permitted",
            "TS_EXTRA_ARGS",
            "the control server does not let this key have the tags of --advertise-tags",
            "name the tags as owned in the policy, or make the key with them"),
    FLAGS(
            "requires mentioning all",
            "TS_EXTRA_ARGS",
            "the node remembers settings that are no longer given",
            "Culvert starts it again with --reset, so that only what is given now holds"),
    OTHER_SERVER(
            "can't change --login-server without --force-reauth",
            "TS_EXTRA_ARGS",
            "the node is logged in to another control server",
            "give the old --login-server again, or an empty TS_STATE_DIR and a key of the new one"),
    CLOCK(
            "certificate has expired or is not yet valid",
            "clock",
            "the control server's certificate is not valid at the time that it is here",
            "set the host's clock; if it is right, the server's certificate has to be renewed"),
    CERTIFICATE(
            "certificate signed by unknown authority|certificate is not trusted",
            "TS_EXTRA_ARGS",
            "the control server's certificate comes from an authority that is not known here",
            "mount the authority's certificate and name it in SSL_CERT_FILE"),
    NO_TUN(
            "/dev/net/tun|CONFIG_TUN|tstun\\.New",
            "/dev/net/tun",
            "Tailscale cannot make its interface",
            () -> Hints.here().tunDevice() + "; " + Hints.here().netAdmin()),
    STATE(
            "(tailscaled\\.state|state ?dir|store\\.New|state file|StateDir).*"
                    + "(permission denied|read-only file system|no such file|not a directory|no space left)",
            "TS_STATE_DIR",
            "the node's state cannot be read or written there",
            "mount a writable volume there"),
    FORWARDING(
            "Failed to enable IP forwarding|IP forwarding is disabled",
            "net.ipv4.ip_forward",
            "is 0 for a family that is to be forwarded",
            () -> Hints.here().sysctl("net.ipv4.ip_forward", "1") + "; the same with net.ipv6.conf.all.forwarding"),
    PORT_TAKEN(
            "(listen|bind)\\S* .*address already in use",
            "TS_TAILSCALED_EXTRA_ARGS",
            "one of Tailscale's ports is in use in this network namespace",
            "end the other program, or choose another port: --port=41642"),
    UNKNOWN_FLAG(
            "flag provided but not defined",
            "TS_EXTRA_ARGS",
            "this release of Tailscale does not know one of the flags (or one in TS_TAILSCALED_EXTRA_ARGS)",
            "correct it; the list is that of `tailscale up --help`"),
    LOGGED_OUT(
            "left running state \\(now in state \"?(NeedsLogin|NoState)",
            "tailscale",
            "the node is logged out: its key has expired, or it was removed from the tailnet",
            "a key in TS_AUTHKEY logs it in again by itself; without one, open the address that follows"),
    REMOVED(
            "initial fetch failed 404: node not found",
            "tailscale",
            "the control server does not know this node any more: it was removed from the tailnet",
            "a restart logs it in anew, with the key in TS_AUTHKEY or by the address that follows"),
    APPROVAL(
            "machine authorization required|To approve your machine",
            "tailscale",
            "the node waits until an administrator approves it",
            "approve it: https://login.tailscale.com/admin/machines, or with a pre-approved key"),
    UNREACHABLE(
            "Unable to connect to the Tailscale coordination server"
                    + "|(fetch control key: Get|register request: (Post|http 5))(?!.*(context canceled|use of closed))"
                    + "|hasn't received a network map|the network is down",
            "tailscale",
            "the control server cannot be reached; the tunnel and the proxy serve all the same",
            "check the server and its name; one that answers without TLS has to have a private address"),
    CRASHED(
            "tailscaled exited|process already finished|failed to read from tailscaled|Error ensuring services are not",
            "tailscale",
            "tailscaled ended by itself",
            "nothing: it starts again at once; CULVERT_LOG=debug shows what it said before"),
    BOOT_LIMIT(
            "tailscale up failed: signal: killed|timed out waiting for tailscaled socket",
            "tailscale",
            "was not logged in within a minute, which is containerboot's limit",
            "nothing: it starts again, and a login that waits gets a new address");

    private final Pattern pattern;
    private final String place;
    private final String what;

    @SuppressWarnings("ImmutableEnumChecker") // They have no state.
    private final Supplier<String> cure;

    Complaint(String pattern, String place, String what, String cure) {
        this(pattern, place, what, () -> cure);
    }

    /** @param cure asked for when it is told: this class is initialized while a native image is built */
    Complaint(String pattern, String place, String what, Supplier<String> cure) {
        this.pattern = Pattern.compile(pattern);
        this.place = place;
        this.what = what;
        this.cure = cure;
    }

    /** @param line of output, or the text of a warning */
    static Optional<Complaint> in(String line) {
        return Arrays.stream(values())
                .filter(complaint -> complaint.pattern.matcher(line).find())
                .findFirst();
    }

    Problem problem() {
        return Problem.warning(place.startsWith("TS_") ? Place.setting(place) : Place.machine(place), what, cure.get());
    }
}
