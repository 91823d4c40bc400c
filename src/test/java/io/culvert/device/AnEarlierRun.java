package io.culvert.device;

import io.culvert.device.WireGuardDevices.Choice;
import io.culvert.process.BackOff;
import io.culvert.process.Children;
import io.culvert.process.Redactor;
import io.culvert.process.Supervisor;
import io.culvert.process.Timing;
import io.culvert.wireguard.SecretKey;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A program that creates a supervised device, configures it, reports that and waits to be killed. */
public final class AnEarlierRun {

    private AnEarlierRun() {}

    /** @param arguments the interface's name and its private key */
    public static void main(String[] arguments) throws Exception {
        Supervisor supervisor =
                new Supervisor(new Children(), BackOff.USUAL, Timing.REAL, new Redactor(List.of()), _ -> {});
        UserspaceProgram program = UserspaceProgram.usual(
                Optional.empty(), List.of(Path.of(".cache/bin").toAbsolutePath()));
        WireGuardDevices.supervised(Choice.USERSPACE, program, supervisor, "culvert")
                .create(arguments[0], 0)
                .configure(new DeviceConfig(SecretKey.parse(arguments[1]), 0, 0, List.of()));
        System.out.println("configured");
        int ignored = System.in.read();
        System.exit(ignored);
    }
}
