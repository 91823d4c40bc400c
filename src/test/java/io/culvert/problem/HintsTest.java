package io.culvert.problem;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class HintsTest {

    private static List<String> all(Hints hints) {
        return Stream.of(
                        hints.netAdmin(),
                        hints.tunDevice(),
                        hints.missingTunDevice(),
                        hints.deniedTunDevice(),
                        hints.sysctl("net.ipv4.ip_forward", "1"),
                        hints.ipv6OfNewLinks(),
                        hints.module("wireguard"),
                        hints.writable("/run"),
                        hints.ownNetwork(),
                        hints.defaultRoute(),
                        hints.otherRange(),
                        hints.ipv6Network(),
                        hints.routerAdvertisements("eth0"),
                        hints.otherName("wg0"),
                        hints.noCapability(),
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
}
