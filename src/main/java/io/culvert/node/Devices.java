package io.culvert.node;

import io.culvert.device.DeviceState;
import io.culvert.device.KeptDevice;
import io.culvert.device.WireGuardDevice;
import io.culvert.device.WireGuardDevices;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The WireGuard devices of a node, created or adopted on first use. */
final class Devices {

    private final WireGuardDevices all;
    private final Map<String, KeptDevice> kept = new HashMap<>();

    Devices(WireGuardDevices all) {
        this.all = all;
    }

    KeptDevice of(String link) {
        return kept.computeIfAbsent(link, all::kept);
    }

    boolean isForeign(String link) {
        return all.isForeign(link);
    }

    /** Removes a device of this node, whichever process created it. Idempotent. */
    void remove(String link) {
        kept.remove(link);
        all.find(link).ifPresent(device -> {
            device.remove();
            device.close();
        });
    }

    /** Returns the state of a device of this node, as the kernel or the userspace program reports it. */
    Optional<DeviceState> read(String link) {
        return all.find(link).map(device -> {
            try (WireGuardDevice it = device) {
                return it.read();
            }
        });
    }
}
