// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.wireguard.device.ImplementationChoice;
import java.nio.file.Path;
import java.util.List;

/**
 * The settings of the tunnel to the provider.
 *
 * @param files in failover order; never empty
 * @param memory the soft memory limit of the userspace program
 */
public record WireGuardSettings(List<Path> files, ImplementationChoice implementation, MemoryLimit memory) {

    public WireGuardSettings {
        files = List.copyOf(files);
    }
}
