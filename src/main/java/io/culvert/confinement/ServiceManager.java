package io.culvert.confinement;

import io.culvert.linux.LocalDatagram;
import io.culvert.run.Surroundings;
import java.util.Optional;

/** The notification of systemd that a service is ready (sd_notify(3)). */
public final class ServiceManager {

    private ServiceManager() {}

    /** Notifies systemd, if it started this process, that programs can enter. */
    public static void ready(Surroundings around) {
        Optional.ofNullable(around.environment().get("NOTIFY_SOCKET"))
                .ifPresent(socket -> LocalDatagram.send(socket, "READY=1"));
    }
}
