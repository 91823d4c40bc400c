package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.linux.Sysctl.Written;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayNameGeneration(ReplaceUnderscores.class)
class SysctlTest {

    @TempDir
    private Path root;

    @Test
    void a_value_is_read_and_written_without_its_line_end() throws Exception {
        Files.createDirectories(root.resolve("net/ipv4"));
        Files.writeString(root.resolve("net/ipv4/ip_forward"), "0\n");
        Sysctl sysctl = new Sysctl(root);
        assertThat(sysctl.read("net/ipv4/ip_forward")).contains("0");
        assertThat(sysctl.write("net/ipv4/ip_forward", "1")).isEqualTo(Written.DONE);
        assertThat(sysctl.read("net/ipv4/ip_forward")).contains("1");
    }

    @Test
    void a_parameter_the_kernel_lacks_is_absent() {
        Sysctl sysctl = new Sysctl(root);
        assertThat(sysctl.read("net/none")).isEmpty();
        assertThat(sysctl.writable("net/none")).isFalse();
        assertThat(sysctl.write("net/none", "1")).isEqualTo(Written.ABSENT);
    }

    @Test
    @Tag("lab")
    void a_read_only_mount_is_told_from_a_lack_of_permission_and_from_a_wrong_value() throws Exception {
        FreshNamespace.inside(() -> {
            Sysctl sysctl = new Sysctl(Path.of("/proc/sys"));
            assertThat(sysctl.writable("net/ipv4/ip_forward")).isTrue();
            assertThat(sysctl.write("net/ipv4/ip_forward", "many")).isEqualTo(Written.REFUSED);
            FreshNamespace.ownMounts();
            FreshNamespace.sh("mount --bind -o ro /proc/sys /proc/sys");
            assertThat(sysctl.read("net/ipv4/ip_forward")).contains("0");
            assertThat(sysctl.writable("net/ipv4/ip_forward")).isFalse();
            assertThat(sysctl.write("net/ipv4/ip_forward", "1")).isEqualTo(Written.READ_ONLY);
        });
    }

    @Test
    @Tag("lab")
    void parameters_of_the_network_are_those_of_the_threads_namespace() throws Exception {
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
