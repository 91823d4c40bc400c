// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.nio.file.Path;
import java.util.List;

/**
 * The settings of the tunnel to the provider.
 *
 * @param files in failover order; never empty
 * @param memory the soft memory limit of the userspace program
 */
public record WireGuardSettings(List<Path> files, Implementation implementation, MemoryLimit memory) {

    public WireGuardSettings {
        files = List.copyOf(files);
    }

    /** The WireGuard implementation to use. */
    public enum Implementation {
        /** The kernel's if it has one, else the userspace program. */
        AUTO,
        KERNEL,
        USERSPACE;

        @Override
        public String toString() {
            return EnumWord.word(this);
        }
    }
}
