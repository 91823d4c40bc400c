// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.netlink.NetlinkSockets;
import io.culvert.process.Children;
import io.culvert.process.Redactor;
import io.culvert.process.Supervisor;
import io.culvert.timing.Threads;
import io.culvert.wireguard.config.SecretKey;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A program that creates a supervised device, configures it, reports that and waits to be killed. */
public final class EarlierRun {

    private EarlierRun() {}

    /** @param arguments the interface's name and its private key */
    public static void main(String[] arguments) throws Exception {
        Supervisor supervisor =
                new Supervisor(new Children(), Supervisor.RESTARTS, Threads.SYSTEM, new Redactor(List.of()), _ -> {});
        UserspaceProgram program = UserspaceProgram.withDefaults(
                Optional.empty(), List.of(Path.of(".cache/bin").toAbsolutePath()));
        WireGuardDevices.supervised(
                        ImplementationChoice.USERSPACE, program, supervisor, "culvert", NetlinkSockets.KERNEL)
                .create(arguments[0], 0)
                .configure(new DeviceConfig(SecretKey.parse(arguments[1]), 0, 0, List.of()));
        System.out.println("configured");
        int ignored = System.in.read();
        System.exit(ignored);
    }
}
