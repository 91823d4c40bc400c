// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.lab.GuestTest;
import java.util.List;
import java.util.Optional;

/** A device in the kernel; runs in the kernel lab, whose kernel has WireGuard. */
@GuestTest
class KernelDeviceTest extends WireGuardDeviceContract {

    private final WireGuardDevices devices = WireGuardDevices.detached(
            ImplementationChoice.KERNEL, UserspaceProgram.withDefaults(Optional.empty(), List.of()), "culvert");

    @Override
    WireGuardDevice create(String name) {
        return devices.create(name, 0);
    }
}
