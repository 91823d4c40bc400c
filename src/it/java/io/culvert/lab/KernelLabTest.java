// SPDX-License-Identifier: Apache-2.0
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
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * Runs the tests tagged {@code kernel}, which also run on this machine, and those tagged {@code guest} in an emulated machine
 * with Debian's kernel, which has WireGuard. The machine is started once for all of them.
 */
@NamespaceTest
class KernelLabTest {

    /** The classes with such tests, listed since a search is slow in the emulated machine. */
    private static final List<String> CLASSES = List.of(
            "io.culvert.lab.LabTopologyTest",
            "io.culvert.exitnode.ExitNodeApplicationTest",
            "io.culvert.wireguard.device.KernelDeviceTest",
            "io.culvert.netns.NamespaceLifecycleTest",
            "io.culvert.meshnode.NodeTest",
            "io.culvert.nft.NftablesTest",
            "io.culvert.packetpath.KernelComparisonTest");

    private static final Duration TIMEOUT = Duration.ofMinutes(25);

    /** The exit status of scripts/kernel-lab if the emulated machine cannot run. */
    private static final int UNAVAILABLE = 125;

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
                "-Dlab.timeout.factor=10",
                "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
                "-cp",
                classPath,
                "io.culvert.lab.KernelTestRunner"));
        command.addAll(CLASSES);
        RunningProgram guest = RunningProgram.start("kernel-lab", command);
        int status = guest.awaitExit(TIMEOUT);
        Assumptions.assumeFalse(status == UNAVAILABLE, guest::output);
        List<DynamicTest> tests = new ArrayList<>();
        tests.add(DynamicTest.dynamicTest(
                "the emulated machine completes",
                () -> assertThat(status).as(guest.output()).isZero()));
        guest.output()
                .lines()
                .map(line -> line.split("\t", -1))
                .filter(fields -> fields.length == 4 && fields[0].equals("test"))
                .map(fields -> DynamicTest.dynamicTest(fields[2], () -> report(fields[1], fields[3])))
                .forEach(tests::add);
        tests.add(DynamicTest.dynamicTest(
                "tests were run", () -> assertThat(tests).as(guest.output()).hasSizeGreaterThan(2)));
        return tests;
    }

    private static void report(String outcome, String base64) {
        String reason = new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
        switch (outcome) {
            case "passed" -> {}
            case "skipped" -> Assumptions.abort(reason);
            default -> Assertions.fail("in the emulated machine: " + reason);
        }
    }
}
