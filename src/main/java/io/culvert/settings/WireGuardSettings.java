package io.culvert.settings;

import java.nio.file.Path;
import java.util.List;

/**
 * The tunnel to the provider.
 *
 * @param files in failover order; never empty
 * @param memory of the userspace program
 */
public record WireGuardSettings(List<Path> files, Implementation implementation, MemoryLimit memory) {

    public WireGuardSettings {
        files = List.copyOf(files);
    }

    /** Which WireGuard serves. */
    public enum Implementation {
        /** The kernel's where there is one, else the userspace program. */
        AUTO,
        KERNEL,
        USERSPACE;

        @Override
        public String toString() {
            return Words.word(this);
        }
    }
}
