// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demonstration as a user other than root, on a machine that permits user namespaces. */
@NamespaceTest
class UnprivilegedDemoTest {

    private static final List<String> NOBODY =
            List.of("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups");

    /** Copies the checkout and the libraries to world-readable directories, and creates a TUN device of this mode. */
    private static final String SCRIPT = """
            set -e
            src/test/lab/bin/copy-for-others "$1/checkout"
            mkdir "$1/libraries"
            cp $(cat target/test-class-path | tr : ' ') "$1/libraries/"
            chmod -R a+rX "$1"
            mount -t tmpfs none /dev/net
            mknod -m "$2" /dev/net/tun c 10 200
            cd "$1/checkout"
            shift 2
            exec "$@"
            """;

    @TempDir
    Path home;

    @BeforeEach
    void assume_user_namespaces_are_permitted() {
        List<String> command = new ArrayList<>(NOBODY);
        command.addAll(List.of("unshare", "--user", "--map-root-user", "--net", "true"));
        CommandResult result = CommandResult.of(command);
        Assumptions.assumeTrue(result.status() == 0, result.err());
    }

    private CommandResult demo(String modeOfTun) throws IOException {
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
        List<String> command =
                new ArrayList<>(List.of("unshare", "--mount", "sh", "-c", SCRIPT, "user", home.toString(), modeOfTun));
        command.addAll(NOBODY);
        command.addAll(List.of(
                "src/test/lab/bin/java",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                String.join(
                        File.pathSeparator,
                        "target/test-classes",
                        "target/classes",
                        home.resolve("libraries").toString() + "/*"),
                "io.culvert.lab.Demo"));
        return CommandResult.of(command);
    }

    @Test
    void an_ordinary_user_can_run_the_demo() throws IOException {
        CommandResult demo = demo("666");

        assertThat(demo.status()).as(demo.out() + demo.err()).isZero();
        assertThat(demo.out()).contains(" 0 failed, in ");
    }

    @Test
    void a_user_without_access_to_the_TUN_device_gets_an_error() throws IOException {
        CommandResult demo = demo("600");

        assertThat(demo.status()).isEqualTo(1);
        assertThat(demo.err()).contains("The lab needs /dev/net/tun, which nobody cannot open here");
    }
}
