package io.culvert.device;

import io.culvert.device.WireGuardDevices.Choice;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;

/** A device in the kernel; runs in the kernel lab, whose kernel has WireGuard. */
@Tag("guest")
class KernelDeviceTest extends WireGuardDeviceContract {

    private final WireGuardDevices made =
            WireGuardDevices.lasting(Choice.KERNEL, UserspaceProgram.usual(Optional.empty(), List.of()), "culvert");

    @Override
    WireGuardDevice create(String name) {
        return made.create(name, 0);
    }
}
