// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SpecialRangeTest {

    @ParameterizedTest
    @EnumSource(SpecialRange.class)
    void a_range_has_no_bits_after_its_prefix(SpecialRange range) {
        assertThat(range.prefix()).isEqualTo(range.prefix().network());
    }

    @Test
    void no_range_is_listed_twice() {
        assertThat(Arrays.stream(SpecialRange.values()).map(SpecialRange::prefix))
                .doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.0.0.0",
                "10.1.2.3",
                "100.127.255.255",
                "127.0.0.53",
                "169.254.169.254",
                "172.31.0.1",
                "192.168.1.1",
                "198.19.0.1",
                "224.0.0.251",
                "255.255.255.255",
                "::",
                "::1",
                "::ffff:0:1",
                "2001:db8::1",
                "fd00::1",
                "fe80::1",
                "ff02::fb"
            })
    void a_special_address_is_in_a_range(String address) {
        assertThat(isSpecial(address)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"9.9.9.9", "100.63.255.255", "100.128.0.0", "172.32.0.0", "223.255.255.255", "2620:fe::fe"})
    void a_public_address_is_in_no_range(String address) {
        assertThat(isSpecial(address)).isFalse();
    }

    private static boolean isSpecial(String address) {
        Prefix host = Prefix.parse(address);
        return SpecialRange.all(host.family()).stream().anyMatch(range -> range.contains(host));
    }
}
