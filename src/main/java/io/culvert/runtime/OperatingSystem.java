// SPDX-License-Identifier: Apache-2.0
package io.culvert.runtime;

import io.culvert.dns.StubSockets;
import io.culvert.linux.Inotify;
import io.culvert.netlink.NetlinkSockets;
import io.culvert.netlink.RepeatedRequests;
import io.culvert.process.HealthCheck;
import io.culvert.process.ProcessLauncher;
import io.culvert.process.ProcessStarter;
import io.culvert.timing.Threads;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * What a run needs of the operating system besides files; a simulation has its own.
 *
 * @param prober asks programs and services of this one whether they respond
 * @param random makes a source of random numbers
 * @param inotify opens a watch of files; empty where none is available
 */
public record OperatingSystem(
        Threads threads,
        NetlinkSockets netlink,
        ProcessStarter programs,
        StubSockets stubSockets,
        HealthCheck.Prober prober,
        Supplier<RandomGenerator> random,
        Supplier<Optional<Inotify>> inotify) {

    /** The one that this process runs on. */
    public static final OperatingSystem REAL = new OperatingSystem(
            Threads.SYSTEM,
            NetlinkSockets.KERNEL,
            ProcessLauncher::start,
            StubSockets.SYSTEM,
            HealthCheck.Prober.SYSTEM,
            SecureRandom::new,
            Inotify::open);

    /** Requests that the kernel refuses for a moment are repeated, by all sockets of a run. */
    public OperatingSystem {
        netlink = RepeatedRequests.of(netlink, threads);
    }
}
