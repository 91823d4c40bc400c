package io.culvert.device;

import io.culvert.device.WireGuardDevices.Choice;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A userspace device whose program continues without Culvert. */
class LastingUserspaceDeviceTest extends WireGuardDeviceContract {

    private final WireGuardDevices made = WireGuardDevices.lasting(
            Choice.USERSPACE,
            UserspaceProgram.usual(
                    Optional.empty(), List.of(Path.of(".cache/bin").toAbsolutePath())),
            "culvert");

    @Override
    WireGuardDevice create(String name) {
        return made.create(name, 0);
    }
}
