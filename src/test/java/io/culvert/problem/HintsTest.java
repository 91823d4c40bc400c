package io.culvert.problem;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class HintsTest {

    @TempDir
    private Path root;

    private static List<String> all(Hints hints) {
        return Stream.of(
                        hints.netAdmin(),
                        hints.tunDevice(),
                        hints.missingTunDevice(),
                        hints.deniedTunDevice(),
                        hints.sysctl("net.ipv4.ip_forward", "1"),
                        hints.module("wireguard"),
                        hints.writable("/run"),
                        hints.ownNetwork(),
                        hints.defaultRoute(),
                        hints.otherRange(),
                        hints.ipv6Network(),
                        hints.routerAdvertisements("eth0"),
                        hints.missingFile(),
                        hints.bring("the file", "/x"))
                .toList();
    }

    @Test
    void on_a_machine_no_hint_speaks_of_containers() {
        assertThat(all(Hints.MACHINE))
                .noneSatisfy(hint -> assertThat(hint)
                        .containsAnyOf("compose", "container", "--device", "--sysctl", "docker", "podman"));
    }

    @Test
    void in_a_container_no_hint_needs_a_command_inside() {
        assertThat(all(Hints.CONTAINER)).noneSatisfy(hint -> assertThat(hint).contains("sudo"));
    }

    @Test
    void a_container_is_what_the_user_the_image_or_the_engine_says_and_the_first_process_is_in_one() throws Exception {
        assertThat(isContainer(2, "HOME", "/root")).isFalse();
        assertThat(isContainer(1, "HOME", "/root")).isTrue();
        assertThat(isContainer(2, "container", "podman")).isTrue();
        assertThat(isContainer(2, "KUBERNETES_SERVICE_HOST", "10.0.0.1")).isTrue();
        assertThat(isContainer(2, "CULVERT_CONTAINER", "Yes")).isTrue();
        assertThat(isContainer(1, "CULVERT_CONTAINER", "false")).isFalse();

        // A virtual machine that was made of a container image.
        Files.createFile(root.resolve(".dockerenv"));
        assertThat(isContainer(2, "HOME", "/root")).isFalse();

        Files.createDirectories(root.resolve("usr/lib/culvert"));
        Files.createFile(root.resolve("usr/lib/culvert/container"));
        assertThat(isContainer(2, "HOME", "/root")).isTrue();
    }

    private boolean isContainer(long pid, String variable, String value) {
        return Hints.isContainer(pid, Map.of(variable, value), root);
    }
}
