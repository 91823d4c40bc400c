package io.culvert.confinement;

import io.culvert.linux.LocalDatagram;
import io.culvert.run.Surroundings;
import java.util.Optional;

/** systemd, where it has started us and wants to know when we are ready (sd_notify(3)). */
public final class ServiceManager {

    private ServiceManager() {}

    /** Says that programs may come. */
    public static void ready(Surroundings around) {
        Optional.ofNullable(around.environment().get("NOTIFY_SOCKET"))
                .ifPresent(socket -> LocalDatagram.send(socket, "READY=1"));
    }
}
