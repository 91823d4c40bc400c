// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.FollowedHint;
import io.culvert.lab.Sandbox;
import io.culvert.lab.TailnetTest;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Each hint about Tailscale that can be tested without a tailnet is correct. */
@TailnetTest
public class FollowedTailscaleHintsTest extends CheckedHints {

    /** For HintCoverageTest. */
    public static Stream<FollowedHint> hints() {
        return of(rows());
    }

    private static Stream<Row> rows() {
        return Stream.of(
                tailnet(
                        "exitnode",
                        "use another name for Tailscale's interface: TS_TAILSCALED_EXTRA_ARGS=--tun=tailnet0",
                        ip("link add tailscale0 type bridge"),
                        Map.of("TS_STATE_DIR", "/var/lib/tailscale"),
                        Map.of("TS_STATE_DIR", "/var/lib/tailscale", "TS_TAILSCALED_EXTRA_ARGS", "--tun=tailnet0")),
                tailnet(
                        "tailscale",
                        "mount a volume and set TS_STATE_DIR to its path: TS_STATE_DIR=/var/lib/tailscale",
                        ip("link delete tailscale0"),
                        Map.of(),
                        Map.of("TS_STATE_DIR", "/var/lib/tailscale")),
                tailnet(
                        "tailscale",
                        "mount a writable volume at this path",
                        _ -> {},
                        Map.of("TS_STATE_DIR", "/proc/tailscale"),
                        Map.of("TS_STATE_DIR", "/var/lib/tailscale")),
                tailnet(
                        "tailscale",
                        "mount it without :ro, and make it writable for this user",
                        _ -> {},
                        Map.of("TS_STATE_DIR", "/proc/sys"),
                        Map.of("TS_STATE_DIR", "/var/lib/tailscale")),
                inReadOnlyTmp(
                        "set TS_SOCKET=/run/tailscaled.sock, or mount a tmpfs on /tmp: `--tmpfs /tmp`, or"
                                + " `tmpfs: /tmp` in a compose file",
                        Map.of("TS_STATE_DIR", "/var/lib/tailscale"),
                        Map.of("TS_STATE_DIR", "/var/lib/tailscale", "TS_SOCKET", "/run/tailscaled.sock")));
    }

    private static Row inReadOnlyTmp(String hint, Map<String, String> faulty, Map<String, String> repaired) {
        Sandbox sandbox = Sandbox.CONTAINER.withReadOnly("/tmp");
        return row("tailscale", hint, hint, tailscale(sandbox, faulty), _ -> {}, _ -> {}, tailscale(sandbox, repaired));
    }

    private static Row tailnet(
            String area,
            String hint,
            Consumer<ExitNodeFixture> fault,
            Map<String, String> faulty,
            Map<String, String> repaired) {
        return row(area, hint, hint, tailscale(faulty), fault, _ -> {}, tailscale(repaired));
    }

    private static Run tailscale(Map<String, String> more) {
        return tailscale(Sandbox.CONTAINER, more);
    }

    private static Run tailscale(Sandbox sandbox, Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of("CULVERT_MESH", "tailscale", "CULVERT_MESH_CONFIG", ""));
        settings.putAll(more);
        return in(sandbox, settings);
    }
}
