// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.linux.LocalDatagram;
import io.culvert.runtime.Environment;
import java.util.Optional;

/** The notification of systemd that a service is ready (sd_notify(3)). */
public final class SystemdNotify {

    private SystemdNotify() {}

    /** Notifies systemd, if it started this process, that programs can enter. */
    public static void notifyReady(Environment environment) {
        Optional.ofNullable(environment.variables().get("NOTIFY_SOCKET"))
                .ifPresent(socket -> LocalDatagram.send(socket, "READY=1"));
    }
}
