package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * Runs the tests that are tagged {@code kernel} once more, and those that are tagged {@code guest}, under Debian's kernel, which has WireGuard, in an emulated machine.
 * The machine is started once, for all of them.
 */
@Tag("lab")
class KernelLabTest {

    /** Where such tests are. Named, since searching takes long in there. */
    private static final List<String> CLASSES = List.of(
            "io.culvert.lab.LabTest",
            "io.culvert.exitnode.ExitNodeTest",
            "io.culvert.device.KernelDeviceTest",
            "io.culvert.confinement.ConfinementLifeTest",
            "io.culvert.node.NodeTest");

    private static final Duration DEADLINE = Duration.ofMinutes(15);

    /** The status of scripts/kernel-lab when it is the lab that cannot run. */
    private static final int IMPOSSIBLE = 125;

    @TestFactory
    @Timeout(value = 20, unit = TimeUnit.MINUTES)
    List<DynamicTest> under_debians_kernel() throws IOException {
        String classPath = "target/test-classes:target/classes:" + Files.readString(Path.of("target/test-class-path"));
        List<String> command = new ArrayList<>(List.of(
                "scripts/kernel-lab",
                "sh",
                "-c",
                "modprobe wireguard && exec \"$@\"",
                "guest",
                "src/test/lab/bin/java",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-Dlab.patience=10",
                "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
                "-cp",
                classPath,
                "io.culvert.lab.GuestRunner"));
        command.addAll(CLASSES);
        Child guest = Child.start("kernel-lab", command);
        int status = guest.awaitExit(DEADLINE);
        Assumptions.assumeFalse(status == IMPOSSIBLE, guest::output);
        List<DynamicTest> tests = new ArrayList<>();
        tests.add(DynamicTest.dynamicTest(
                "the guest runs to its end",
                () -> assertThat(status).as(guest.output()).isZero()));
        guest.output()
                .lines()
                .map(line -> line.split("\t", -1))
                .filter(fields -> fields.length == 4 && fields[0].equals("test"))
                .map(fields -> DynamicTest.dynamicTest(fields[2], () -> repeat(fields[1], fields[3])))
                .forEach(tests::add);
        tests.add(DynamicTest.dynamicTest(
                "there are such tests",
                () -> assertThat(tests).as(guest.output()).hasSizeGreaterThan(2)));
        return tests;
    }

    private static void repeat(String outcome, String base64) {
        String reason = new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
        switch (outcome) {
            case "passed" -> {}
            case "skipped" -> Assumptions.abort(reason);
            default -> Assertions.fail("in the guest: " + reason);
        }
    }
}
