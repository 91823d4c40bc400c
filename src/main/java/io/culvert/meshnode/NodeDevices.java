// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.ManagedDevice;
import io.culvert.wireguard.device.WireGuardDevice;
import io.culvert.wireguard.device.WireGuardDevices;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The WireGuard devices of a node, created or adopted on first use. */
final class NodeDevices {

    private final WireGuardDevices devices;
    private final Map<String, ManagedDevice> managed = new HashMap<>();

    NodeDevices(WireGuardDevices devices) {
        this.devices = devices;
    }

    ManagedDevice device(String link) {
        return managed.computeIfAbsent(link, devices::managed);
    }

    boolean isForeign(String link) {
        return devices.isForeign(link);
    }

    /** Removes a device of this node, whichever process created it. Idempotent. */
    void remove(String link) {
        managed.remove(link);
        devices.find(link).ifPresent(device -> {
            device.remove();
            device.close();
        });
    }

    /** Returns the state of a device of this node, as the kernel or the userspace program reports it. */
    Optional<DeviceState> read(String link) {
        return devices.find(link).map(device -> {
            try (WireGuardDevice it = device) {
                return it.read();
            }
        });
    }
}
