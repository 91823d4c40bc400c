// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Prefix;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RuntimeResolversTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.11",
                "10.89.0.1",
                "172.17.0.1",
                "192.168.1.1",
                "100.64.0.1",
                "169.254.1.1",
                "::1",
                "fd00::1",
                "fe80::1"
            })
    void a_private_address_is_local(String address) {
        assertThat(RuntimeResolvers.isLocal(Prefix.parseAddress(address), List.of()))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"9.9.9.9", "192.0.2.1", "0.0.0.1", "224.0.0.251", "2620:fe::fe", "2001:db8::1", "::2"})
    void any_other_address_is_not_local(String address) {
        assertThat(RuntimeResolvers.isLocal(Prefix.parseAddress(address), List.of()))
                .isFalse();
    }
}
