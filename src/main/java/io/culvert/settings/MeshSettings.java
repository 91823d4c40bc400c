package io.culvert.settings;

import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Who uses this node as its exit.
 *
 * @param file the WireGuard file of the mesh interface; present if, and only if, the kind is WireGuard
 * @param tailscale the environment for Tailscale's own program: every {@code TS_} variable that was given, unchanged
 */
public record MeshSettings(Kind kind, Optional<Path> file, Map<String, String> tailscale) {

    public MeshSettings {
        SortedMap<String, String> sorted = new TreeMap<>(tailscale);
        tailscale = Collections.unmodifiableMap(sorted);
    }

    /** What the mesh is made with. */
    public enum Kind {
        TAILSCALE,
        WIREGUARD,
        NONE;

        @Override
        public String toString() {
            return Words.word(this);
        }
    }

    /** Names only: a Tailscale variable may hold a key. */
    @Override
    public String toString() {
        return "MeshSettings[" + kind + ", " + file + ", " + tailscale.keySet() + "]";
    }
}
