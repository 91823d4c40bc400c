// SPDX-License-Identifier: Apache-2.0
package io.culvert.runtime;

import io.culvert.dns.StubSockets;
import io.culvert.netlink.NetlinkSockets;
import io.culvert.process.ProcessLauncher;
import io.culvert.process.ProcessStarter;
import io.culvert.timing.Threads;

/** What a run needs of the operating system besides files; a simulation has its own. */
public record OperatingSystem(
        Threads threads, NetlinkSockets netlink, ProcessStarter programs, StubSockets stubSockets) {

    /** The one that this process runs on. */
    public static final OperatingSystem REAL =
            new OperatingSystem(Threads.SYSTEM, NetlinkSockets.KERNEL, ProcessLauncher::start, StubSockets.SYSTEM);
}
