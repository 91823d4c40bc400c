// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.netlink.NetlinkSockets;
import io.culvert.process.Children;
import io.culvert.process.Redactor;
import io.culvert.process.Supervisor;
import io.culvert.timing.Threads;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A userspace device whose program is Culvert's child. */
class SupervisedUserspaceDeviceTest extends WireGuardDeviceContract {

    /** Each with a supervisor of its own, like separate runs. */
    @Override
    WireGuardDevice create(String name) {
        return WireGuardDevices.supervised(
                        ImplementationChoice.USERSPACE,
                        UserspaceProgram.withDefaults(
                                Optional.empty(), List.of(Path.of(".cache/bin").toAbsolutePath())),
                        new Supervisor(
                                new Children(), Supervisor.RESTARTS, Threads.SYSTEM, new Redactor(List.of()), _ -> {}),
                        "culvert",
                        NetlinkSockets.KERNEL)
                .create(name, 0);
    }
}
