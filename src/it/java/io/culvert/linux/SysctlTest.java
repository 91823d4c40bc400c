// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import io.culvert.linux.Sysctl.WriteResult;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SysctlTest {

    @TempDir
    private Path root;

    @Test
    void values_are_read_without_the_newline() throws Exception {
        Files.createDirectories(root.resolve("net/ipv4"));
        Files.writeString(root.resolve("net/ipv4/ip_forward"), "0\n");
        Sysctl sysctl = new Sysctl(root);
        assertThat(sysctl.read("net/ipv4/ip_forward")).contains("0");
        assertThat(sysctl.write("net/ipv4/ip_forward", "1")).isEqualTo(WriteResult.DONE);
        assertThat(sysctl.read("net/ipv4/ip_forward")).contains("1");
    }

    @Test
    void a_parameter_that_the_kernel_lacks_is_absent() {
        Sysctl sysctl = new Sysctl(root);
        assertThat(sysctl.read("net/none")).isEmpty();
        assertThat(sysctl.isWritable("net/none")).isFalse();
        assertThat(sysctl.write("net/none", "1")).isEqualTo(WriteResult.ABSENT);
    }

    @Test
    @NamespaceTest
    void a_read_only_mount_is_distinguished_from_an_invalid_value() throws Exception {
        FreshNamespace.inside(() -> {
            Sysctl sysctl = new Sysctl(Path.of("/proc/sys"));
            assertThat(sysctl.isWritable("net/ipv4/ip_forward")).isTrue();
            assertThat(sysctl.write("net/ipv4/ip_forward", "many")).isEqualTo(WriteResult.REFUSED);
            FreshNamespace.enterNewMountNamespace();
            FreshNamespace.sh("mount --bind -o ro /proc/sys /proc/sys");
            assertThat(sysctl.read("net/ipv4/ip_forward")).contains("0");
            assertThat(sysctl.isWritable("net/ipv4/ip_forward")).isFalse();
            assertThat(sysctl.write("net/ipv4/ip_forward", "1")).isEqualTo(WriteResult.READ_ONLY);
        });
    }

    @Test
    @NamespaceTest
    void network_parameters_belong_to_the_threads_namespace() throws Exception {
        Sysctl sysctl = new Sysctl(Path.of("/proc/sys"));
        String outside = sysctl.read("net/ipv4/ip_forward").orElseThrow();
        FreshNamespace.inside(() -> {
            String other = outside.equals("1") ? "0" : "1";
            sysctl.write("net/ipv4/ip_forward", other);
            assertThat(FreshNamespace.sh("sysctl -n net.ipv4.ip_forward").strip())
                    .isEqualTo(other);
        });
        assertThat(sysctl.read("net/ipv4/ip_forward")).contains(outside);
    }
}
