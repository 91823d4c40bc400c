// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The settings of the exit node: which devices may use it, and how they connect.
 *
 * @param file the WireGuard file of the mesh interface; present if, and only if, the kind is WireGuard
 * @param tailscale present if, and only if, the kind is Tailscale
 * @param withdrawAfter how long the tunnel may be lost until the exit node is withdrawn; empty for never
 */
public record MeshSettings(
        Kind kind, Optional<Path> file, Optional<TailscaleSettings> tailscale, Optional<Duration> withdrawAfter) {

    /** The type of the exit node. */
    public enum Kind {
        TAILSCALE,
        WIREGUARD,
        NONE;

        @Override
        public String toString() {
            return EnumWord.word(this);
        }
    }
}
