// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ValueFormsTest {

    @ParameterizedTest
    @ValueSource(strings = {"true", "TRUE", "yes", "On", "1"})
    void several_words_mean_true(String text) {
        assertThat(BooleanWord.parse(text)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"false", "False", "no", "OFF", "0"})
    void several_words_mean_false(String text) {
        assertThat(BooleanWord.parse(text)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"8080, 8080/tcp", "53/udp, 53/udp", "443/TCP, 443/tcp", "65535, 65535/tcp"})
    void a_published_port_is_TCP_by_default(String written, String expected) {
        assertThat(PublishedPort.parse(written)).hasToString(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "96MiB | 96MiB",
                "1gib | 1GiB",
                "1024MiB | 1GiB",
                "off | off",
                "100663296 | 96MiB",
                "20000KiB | 20000KiB"
            })
    void a_memory_limit_is_formatted_for_Go(String written, String expected) {
        assertThat(MemoryLimit.parse(written)).hasToString(expected);
    }

    @ParameterizedTest
    @CsvSource({"0x51000000, 0x51000000", "0xFF, 0xff", "1, 0x1", "1358954496, 0x51000000", "0xff0000ff, 0xff0000ff"})
    void a_mark_can_be_hexadecimal_or_decimal(String written, String expected) {
        assertThat("0x" + Long.toHexString(Mark.parse(written))).isEqualTo(expected);
    }

    @Test
    void allowed_networks_can_be_combined_with_auto() {
        assertThat(LanAllow.parse("none")).isEqualTo(new LanAllow(false, List.of()));
        assertThat(LanAllow.parse("auto")).isEqualTo(new LanAllow(true, List.of()));
        assertThat(LanAllow.parse("192.168.1.0/24 auto,fd00::/8")).hasToString("auto, 192.168.1.0/24, fd00::/8");
        assertThat(LanAllow.parse("192.168.1.0/24").connected()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "CULVERT_SOCKS            | maybe             | is not a boolean                | true or false",
                "CULVERT_SOCKS_PORT       | 0                 | is not a valid port             | 1 to 65535",
                "CULVERT_SOCKS_PORT       | 65536             | is not a valid port             | 1 to 65535",
                "CULVERT_SOCKS_PORT       | -1                | is not a valid port             | 1 to 65535",
                "CULVERT_SOCKS_PORT       | 99999999999999    | is not a valid port             | 1 to 65535",
                "CULVERT_MESH             | wirguard          | tailscale, wireguard, none      | did you mean wireguard?",
                "CULVERT_MESH             | 7                 | tailscale, wireguard, none      | use one of them",
                "CULVERT_LOG              | warning           | error, warn, info, debug        | did you mean warn?",
                "CULVERT_MTU              | 100               | is not a valid MTU              | 576",
                "CULVERT_MARK             | 0xca6c            | wg-quick's default mark         | 0x51000000",
                "CULVERT_MARK             | 51820             | wg-quick's default mark         | 0x51000000",
                "CULVERT_MARK             | 0x80000           | belong to Tailscale             | 0x51000000",
                "CULVERT_MARK             | 0                 | is outside 1 to 0xffffffff      | remove the setting",
                "CULVERT_MARK             | off               | is not a firewall mark          | 0x51000000",
                "CULVERT_MARK             | 0x100000000       | is not a firewall mark          | 0x51000000",
                "CULVERT_SERVER_ORDER     | fastest           | file, latency, random           | use one of them",
                "CULVERT_SERVER_RETURN    | 5                 | not a time from 1s to 168h      | 90s, 5m or 2h",
                "CULVERT_SERVER_RETURN    | 0s                | not a time from 1s to 168h      | or off",
                "CULVERT_WIREGUARD_MEMORY | 96                | outside 16MiB                   | 96MiB",
                "CULVERT_WIREGUARD_MEMORY | 96MB              | not an amount of memory         | 96MiB",
                "CULVERT_DNS              | dns.example.net   | item 1: 'dns.example.net'       | the address of the server",
                "CULVERT_DNS              | 9.9.9.9 127.0.0.53 | item 2: '127.0.0.53'          | reachable through the tunnel",
                "CULVERT_PUBLISH          | 80,8080:80        | item 2: '8080:80'               | that the service listens on",
                "CULVERT_PUBLISH          | 53/icmp           | 'icmp' is not a transport       | /tcp or /udp",
                "CULVERT_PUBLISH          | 8000-8010         | is not a valid port             | 1 to 65535",
                "CULVERT_LAN_ALLOW        | none 10.0.0.0/8   | cannot be combined              | none",
                "CULVERT_LAN_ALLOW        | 0.0.0.0/0         | would bypass the tunnel         | list only the networks",
                "CULVERT_LAN_ALLOW        | ,                 | no item                         | remove the setting",
                "CULVERT_SOCKS_USER       | a b               | not a user name                 | letters",
                "CULVERT_SOCKS_USER       | root              | is not allowed                  | another name",
                "CULVERT_MESH_CONFIG      | mesh.conf         | not an absolute path            | begins with /",
            })
    void an_invalid_value_is_reported_with_a_hint(String name, String text, String message, String hint) {
        Setting<?> setting = Catalogue.all().stream()
                .filter(candidate -> candidate.name().equals(name))
                .findFirst()
                .orElseThrow();

        MalformedValue malformed = catchThrowableOfType(
                MalformedValue.class, () -> setting.parser().parse(text));

        assertThat(malformed.faults()).singleElement().satisfies(fault -> {
            assertThat(fault.message()).contains(message);
            assertThat(fault.hint()).contains(hint);
        });
    }

    @Test
    void every_invalid_item_of_a_list_is_reported_with_its_position() {
        MalformedValue malformed = catchThrowableOfType(
                MalformedValue.class,
                () -> Catalogue.BYPASS.parser().parse("a.example:1, b.example\nc.example:2,,d.example"));

        assertThat(malformed.faults())
                .extracting(MalformedValue.Fault::message)
                .containsExactly(
                        "item 2: 'b.example' is a host name without a port",
                        "item 4: 'd.example' is a host name without a port");
    }

    @Test
    void the_number_of_reported_items_is_limited() {
        MalformedValue malformed = catchThrowableOfType(
                MalformedValue.class, () -> Catalogue.PUBLISH.parser().parse("x ".repeat(1000)));

        assertThat(malformed.faults())
                .hasSize(21)
                .last()
                .hasToString("Fault[message=980 more invalid items, hint=correct the ones above first]");
    }
}
