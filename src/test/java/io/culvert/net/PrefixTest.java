// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrefixTest {

    @ParameterizedTest
    @CsvSource({
        "10.64.0.2/32, 10.64.0.2/32",
        "10.64.0.2, 10.64.0.2/32",
        "10.5.0.2/16, 10.5.0.2/16",
        "0.0.0.0/0, 0.0.0.0/0",
        "::0/0, ::/0",
        "FD00:0:0::1, fd00::1/128",
        "2001:db8::/032, 2001:db8::/32",
    })
    void is_parsed_and_formatted(String text, String written) {
        assertThat(Prefix.parse(text)).hasToString(written);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "/24",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/8/8",
                "10.0.0/24",
                "10.0.0.256",
                "10.0.0.0x1",
                "::1%lo",
                "[::1]",
                ":::",
                "1:2:3:4:5:6:7",
                "fd00::/129",
                "fd00::/1281",
                "vpn.example.test",
                " 10.0.0.1",
                "١٠.0.0.1",
                "1.2.3.4.5"
            })
    void is_rejected_with_a_message(String text) {
        assertThatThrownBy(() -> Prefix.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching("'.*' (is not|has no) .*");
    }

    /** RFC 5952, sections 4 and 5. */
    @ParameterizedTest
    @CsvSource({
        "2001:0db8:0000:0000:0000:0000:0002:0001, 2001:db8::2:1",
        "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
        "2001:0:0:1:0:0:0:1, 2001:0:0:1::1",
        "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
        "0:0:0:0:0:0:0:0, ::",
        "0:0:0:0:0:0:0:1, ::1",
        "1:0:0:0:0:0:0:0, 1::",
        "2001:DB8::AbC, 2001:db8::abc",
        "0:1:0:1:0:1:0:1, 0:1:0:1:0:1:0:1",
        "1:2:3:4:5:6:0:0, 1:2:3:4:5:6::",
        "0:0:3:4:5:6:7:8, ::3:4:5:6:7:8",
    })
    void an_ipv6_address_is_formatted_by_rfc_5952(String address, String shortForm) {
        assertThat(Prefix.text(Prefix.parseAddress(address))).isEqualTo(shortForm);
    }

    @Test
    void an_ipv4_mapped_address_is_parsed_as_ipv4() {
        assertThat(Prefix.parse("::ffff:192.0.2.1")).isEqualTo(Prefix.parse("192.0.2.1"));
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.255.0.0/16, true, true",
        "10.255.0.0/16, 10.0.0.0/8, false, true",
        "10.0.0.0/9, 10.128.0.0/9, false, false",
        "10.1.2.3/8, 10.9.9.9/32, true, true",
        "0.0.0.0/0, ::/0, false, false",
        "2001:db8::/33, 2001:db8:8000::/33, false, false",
        "2001:db8::/33, 2001:db8:7fff::1/128, true, true",
        "::/0, ff02::1/128, true, true",
    })
    void contains_and_overlaps(String prefix, String other, boolean contains, boolean overlaps) {
        assertThat(Prefix.parse(prefix).contains(Prefix.parse(other))).isEqualTo(contains);
        assertThat(Prefix.parse(prefix).overlaps(Prefix.parse(other))).isEqualTo(overlaps);
        assertThat(Prefix.parse(other).overlaps(Prefix.parse(prefix))).isEqualTo(overlaps);
    }

    @Test
    void has_a_network_and_host_bits() {
        assertThat(Prefix.parse("10.5.0.2/16").network()).hasToString("10.5.0.0/16");
        assertThat(Prefix.parse("10.5.0.2/16").hasHostBits()).isTrue();
        assertThat(Prefix.parse("10.5.0.0/16").hasHostBits()).isFalse();
        assertThat(Prefix.parse("fd00::1/127").network()).hasToString("fd00::/127");
        assertThat(Prefix.all(Family.IPV6)).hasToString("::/0");
        assertThat(Prefix.all(Family.IPV4).isDefault()).isTrue();
        assertThat(Prefix.parse("fd00::1").isHost()).isTrue();
    }

    @Test
    void consists_of_two_halves() {
        assertThat(Prefix.parse("0.0.0.0/0").halves()).hasToString("[0.0.0.0/1, 128.0.0.0/1]");
        assertThat(Prefix.parse("10.0.0.3/30").halves()).hasToString("[10.0.0.0/31, 10.0.0.2/31]");
        assertThat(Prefix.parse("fd00::/127").halves()).hasToString("[fd00::/128, fd00::1/128]");
        assertThatThrownBy(() -> Prefix.parse("10.0.0.1").halves()).hasMessage("10.0.0.1/32 is a single address");
    }
}
