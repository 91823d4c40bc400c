// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EndpointTest {

    @ParameterizedTest
    @CsvSource({
        "192.0.2.10:51820, 192.0.2.10:51820",
        "[2001:DB8::10]:53, [2001:db8::10]:53",
        "[192.0.2.10]:1, 192.0.2.10:1",
        "vpn.example.test:65535, vpn.example.test:65535",
        "xx-abc_1.example.test.:443, xx-abc_1.example.test.:443",
    })
    void is_parsed_and_formatted(String text, String written) {
        assertThat(Endpoint.parse(text)).hasToString(written);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
                    vpn.example.test                | 'vpn.example.test' has no port: write host:port
                    [2001:db8::1]                   | '[2001:db8::1]' has no port: write [address]:port
                    2001:db8::1:51820               | '2001:db8::1:51820' is ambiguous: write an IPv6 address in brackets, [address]:port
                    :51820                          | ':51820' has no host: write host:port
                    https://vpn.example.test:51820  | 'https://vpn.example.test:51820' is a URL: write host:port
                    vpn.example.test:               | '' is not a port: 1 to 65535
                    vpn.example.test:0              | port 0 is outside 1 to 65535
                    vpn.example.test:65536          | port 65536 is outside 1 to 65535
                    vpn.example.test:123456         | '123456' is not a port: 1 to 65535
                    192.0.2.256:51820               | '192.0.2.256' is not an IP address
                    vpn server:51820                | 'vpn server' is neither an IP address nor a host name
                    """)
    void is_rejected_with_a_message(String text, String message) {
        assertThatThrownBy(() -> Endpoint.parse(text)).hasMessage(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a..b", "-a", "a-", "a.-b", "a/b", "ä.example.test"})
    void a_host_name_consists_of_letters_digits_and_hyphens(String name) {
        assertThatThrownBy(() -> Host.parse(name)).hasMessageEndingWith("is neither an IP address nor a host name");
    }

    @Test
    void a_label_has_up_to_63_and_a_host_name_up_to_253_characters() {
        String label = "a".repeat(63);
        assertThat(Host.parse(label)).isEqualTo(new Host.Name(label));
        assertThat(Host.parse((label + ".").repeat(3) + "a".repeat(61) + ".")).isInstanceOf(Host.Name.class);
        assertThatThrownBy(() -> Host.parse(label + "a")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Host.parse((label + ".").repeat(3) + "a".repeat(62)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Host.parse("a.".repeat(1 << 19))).isInstanceOf(IllegalArgumentException.class);
    }
}
