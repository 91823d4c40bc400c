// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class HintsTest {

    private static List<String> all(Hints hints) {
        return Stream.of(
                        hints.netAdmin(),
                        hints.tunDevice(),
                        hints.missingTunDevice(),
                        hints.deniedTunDevice(),
                        hints.sysctl("net.ipv4.ip_forward", "1"),
                        hints.enableIpv6(),
                        hints.loadModule("wireguard"),
                        hints.makeWritable("/run"),
                        hints.separateNamespace(),
                        hints.defaultRoute(),
                        hints.otherSubnet(),
                        hints.ipv6Network(),
                        hints.routerAdvertisements("eth0"),
                        hints.renameInterface("wg0"),
                        hints.dropCapabilities(),
                        hints.missingFile(),
                        hints.provideFile("the file", "/x"))
                .toList();
    }

    @Test
    void hints_on_a_machine_do_not_mention_containers() {
        assertThat(all(Hints.MACHINE))
                .noneSatisfy(hint -> assertThat(hint)
                        .containsAnyOf("compose", "container", "--device", "--sysctl", "docker", "podman"));
    }

    @Test
    void hints_in_a_container_need_no_command_inside_it() {
        assertThat(all(Hints.CONTAINER)).noneSatisfy(hint -> assertThat(hint).contains("sudo"));
    }
}
