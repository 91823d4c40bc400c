// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A userspace device whose program continues without Culvert. */
class DetachedUserspaceDeviceTest extends WireGuardDeviceContract {

    private final WireGuardDevices devices = WireGuardDevices.detached(
            ImplementationChoice.USERSPACE,
            UserspaceProgram.withDefaults(
                    Optional.empty(), List.of(Path.of(".cache/bin").toAbsolutePath())),
            "culvert");

    @Override
    WireGuardDevice create(String name) {
        return devices.create(name, 0);
    }
}
