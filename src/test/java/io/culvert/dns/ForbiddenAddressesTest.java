// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Prefix;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ForbiddenAddressesTest {

    @ParameterizedTest
    @CsvSource({
        "0.1.2.3, unspecified",
        "127.0.0.1, loopback",
        "169.254.169.254, link-local",
        "239.1.2.3, multicast",
        "255.255.255.255, broadcast",
        "::, unspecified",
        "::1, loopback",
        "fe80::1, link-local",
        "ff02::1, multicast"
    })
    void an_address_that_no_server_can_have_is_rejected(String address, String reason) {
        assertThat(ForbiddenAddresses.reason(Prefix.parseAddress(address), List.of()))
                .contains(reason);
    }

    @ParameterizedTest
    @ValueSource(strings = {"9.9.9.9", "10.0.0.1", "100.64.0.1", "192.0.2.1", "240.0.0.1", "fd00::1", "::2"})
    void any_other_address_is_allowed(String address) {
        assertThat(ForbiddenAddresses.reason(Prefix.parseAddress(address), List.of()))
                .isEmpty();
    }
}
