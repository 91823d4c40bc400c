// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.culvert.net.Bypass;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.settings.MalformedValue.Fault;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BypassEntryTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "hs.example.net:443        | hs.example.net:443",
                "hs.example.net:443/tcp    | hs.example.net:443/tcp",
                "hs.example.net:3478/UDP   | hs.example.net:3478/udp",
                "203.0.113.7:443           | 203.0.113.7:443",
                "203.0.113.7:443/tcp       | 203.0.113.7:443/tcp",
                "[2001:db8::7]:443         | [2001:db8::7]:443",
                "[2001:DB8:0::7]:443/udp   | [2001:db8::7]:443/udp",
                "203.0.113.0/24            | 203.0.113.0/24",
                "10.0.0.0/8/udp            | 10.0.0.0/8/udp",
                "2001:db8::/32             | 2001:db8::/32",
                "2001:db8::/32/tcp         | 2001:db8::/32/tcp",
                "203.0.113.7               | 203.0.113.7",
                "203.0.113.7/udp           | 203.0.113.7/udp",
                "203.0.113.7/32            | 203.0.113.7",
                "2001:db8::7               | 2001:db8::7",
            })
    void every_form_of_an_entry_is_parsed(String written, String expected) {
        assertThat(BypassEntry.parse(written)).hasToString(expected);
        assertThat(BypassEntry.parse(expected)).isEqualTo(BypassEntry.parse(written));
    }

    @Test
    void a_host_name_is_kept_and_an_address_becomes_a_prefix() {
        assertThat(BypassEntry.parse("hs.example.net:443"))
                .isEqualTo(new BypassEntry.ToName(new Host.Name("hs.example.net"), 443, Optional.empty()));
        assertThat(BypassEntry.parse("203.0.113.7:53/udp"))
                .isEqualTo(new BypassEntry.ToPrefix(
                        new Bypass(Prefix.parse("203.0.113.7/32"), Optional.of(Transport.UDP), OptionalInt.of(53))));
        assertThat(BypassEntry.parse("10.0.0.0/8"))
                .isEqualTo(new BypassEntry.ToPrefix(
                        new Bypass(Prefix.parse("10.0.0.0/8"), Optional.empty(), OptionalInt.empty())));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "hs.example.net         | a host name without a port             | hs.example.net:443",
                "hs.example.net/tcp     | a host name without a port             | hs.example.net:443",
                "https://hs.example.net | a URL                                  | hs.example.net:443",
                "203.0.113.7:443/sctp   | 'sctp' is not a transport protocol     | /tcp or /udp",
                "203.0.113.7:443/       | '' is not a transport protocol         | /tcp or /udp",
                "203.0.113.7:0          | port 0 is outside 1 to 65535           | ip:port",
                "203.0.113.7:65536      | port 65536 is outside                  | ip:port",
                "203.0.113.7:           | '' is not a port                       | ip:port",
                ":443                   | has no host                            | host:port",
                "203.0.113.256:443      | not an IP address                      | ip:port",
                "203.0.113              | not an IP address                      | ip:port",
                "[2001:db8::7]          | has no port                            | [ipv6]:port",
                "2001:db8:::7           | not an IP address                      | [ipv6]:port",
                "203.0.113.0/33         | '33' is not a prefix length            | 192.168.1.0/24",
                "203.0.113.0/24:443     | '24:443' is not a prefix length        | an address",
                "203.0.113.7/24         | an address within a network            | 203.0.113.0/24 for the network",
                "0.0.0.0/0              | would bypass the tunnel                | list only the networks",
                "::/0                   | would bypass the tunnel                | list only the networks",
                "0.0.0.0:443            | not a destination                      | the address to reach",
                "/udp                   | neither an IP address nor a host name  | host:port",
            })
    void an_invalid_entry_is_reported_with_a_hint(String written, String message, String hint) {
        MalformedValue malformed = catchThrowableOfType(MalformedValue.class, () -> BypassEntry.parse(written));

        assertThat(malformed.faults()).singleElement().satisfies(fault -> {
            assertThat(fault.message()).contains(message).startsWith("'");
            assertThat(fault.hint()).contains(hint);
        });
        assertThat(malformed.faults()).extracting(Fault::hint).doesNotContain("");
    }
}
