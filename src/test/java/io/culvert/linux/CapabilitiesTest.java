// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CapabilitiesTest {

    @Test
    void the_default_capabilities_of_a_container_lack_net_admin() {
        Capabilities usual =
                Capabilities.parse("Name:\tculvert\nCapPrm:\tffffffffffffffff\nCapEff:\t00000000a80425fb\n");
        assertThat(usual.has(Capabilities.NET_ADMIN)).isFalse();
        assertThat(usual.has(Capabilities.NET_RAW)).isTrue();
        assertThat(Capabilities.parse("CapEff:\t00000000a80435fb\n").has(Capabilities.NET_ADMIN))
                .isTrue();
        assertThat(Capabilities.parse("CapEff:\tffffffffffffffff\n").has(Capabilities.NET_ADMIN))
                .isTrue();
    }

    @Test
    void an_unreadable_or_invalid_status_has_no_capabilities() throws Exception {
        assertThat(Capabilities.parse("").effective()).isZero();
        assertThat(Capabilities.parse("CapEff:\tmany\n").effective()).isZero();
        assertThat(Capabilities.read(Path.of("/nowhere")).effective()).isZero();
    }
}
