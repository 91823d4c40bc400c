// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.wireguard.device.ImplementationChoice;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The settings of the tunnel to the provider.
 *
 * @param files in failover order; never empty
 * @param order the order in which the files are used
 * @param returnAfter the wait before a return to the first of them; empty to stay with one whose server responds
 * @param probe whether the data path is probed
 * @param memory the soft memory limit of the userspace program
 */
public record WireGuardSettings(
        List<Path> files,
        ServerOrder order,
        Optional<Duration> returnAfter,
        boolean probe,
        ImplementationChoice implementation,
        MemoryLimit memory) {

    public WireGuardSettings {
        files = List.copyOf(files);
    }
}
