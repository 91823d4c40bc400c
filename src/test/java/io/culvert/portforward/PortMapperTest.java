// SPDX-License-Identifier: Apache-2.0
package io.culvert.portforward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.settings.ForwardedPortSource.Requested;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PortMapperTest {

    private static final byte[] NONCE = HexFormat.of().parseHex("000102030405060708090a0b");

    private final SimulatedGateway gateway = new SimulatedGateway();
    private final Pcp pcp = new Pcp(Prefix.parseAddress("10.2.0.2"), NONCE);
    private final PortMapper mapper = new PortMapper(gateway, pcp, new Random(1));

    /** RFC 6886, section 3.3, and RFC 6887, sections 7.1 and 11.1. */
    @Test
    void the_requests_are_those_of_the_standards() {
        assertThat(HexFormat.of().formatHex(new NatPmp().request(Transport.TCP, 51413, 40000, 60)))
                .isEqualTo("0002" + "0000" + "c8d5" + "9c40" + "0000003c");
        assertThat(HexFormat.of().formatHex(pcp.request(Transport.UDP, 51413, 40000, 7200)))
                .isEqualTo(
                        "0201" + "0000" + "00001c20" + "00000000000000000000ffff0a020002" + "000102030405060708090a0b"
                                + "11000000" + "c8d5" + "9c40" + "00000000000000000000ffff00000000");
    }

    @Test
    void a_port_is_the_same_for_both_protocols_and_on_both_sides() throws IOException {
        PortMapping chosen = mapper.map(Requested.AUTO);
        assertThat(chosen.port()).isEqualTo(40_000);
        assertThat(gateway.mapped).containsOnlyKeys(Transport.values()).containsValue(40_000);

        gateway.grantsAnyInternalPort = false;
        PortMapping same = mapper.map(Requested.AUTO);
        assertThat(same.internal()).isEqualTo(same.port());
        assertThat(gateway.mapped.values()).containsOnly(same.port());

        mapper.release(same);
        assertThat(gateway.mapped).isEmpty();
    }

    @Test
    void the_other_protocol_is_used_where_a_gateway_knows_one_only() throws IOException {
        gateway.natPmp = false;
        assertThat(mapper.map(Requested.AUTO).protocol()).isEqualTo(pcp);
        assertThatThrownBy(() -> mapper.map(Requested.NATPMP)).hasMessageContaining("does not support");

        gateway.natPmp = true;
        gateway.pcp = false;
        assertThat(mapper.map(Requested.AUTO).protocol()).isInstanceOf(NatPmp.class);
        assertThatThrownBy(() -> mapper.map(Requested.PCP)).hasMessageContaining("does not support");
    }

    @Test
    void a_response_to_something_else_is_ignored() throws IOException {
        for (int position : new int[] {0, 1, 9}) {
            gateway.answer = right -> List.of(changed(right, position), new byte[0], Arrays.copyOf(right, 7), right);
            assertThat(mapper.map(Requested.NATPMP).port()).isEqualTo(40_000);
        }
        for (int position : new int[] {0, 1, 24, 35, 36, 41}) {
            gateway.answer = right -> List.of(changed(right, position), Arrays.copyOf(right, 59), right);
            assertThat(mapper.map(Requested.PCP).protocol()).isEqualTo(pcp);
        }
    }

    private static byte[] changed(byte[] packet, int position) {
        byte[] changed = packet.clone();
        changed[position] ^= 0x11;
        return changed;
    }

    @Test
    void no_response_of_a_hostile_gateway_is_more_than_a_failure() {
        Random random = new Random(7);
        for (int i = 0; i < 20_000; i++) {
            byte[] garbage = new byte[random.nextInt(80)];
            random.nextBytes(garbage);
            if (garbage.length > 3 && random.nextBoolean()) {
                garbage[0] = (byte) (random.nextBoolean() ? 0 : 2);
                garbage[1] = (byte) 0x81;
            }
            Optional<MappingProtocol.Response> natPmp = new NatPmp().parse(garbage, Transport.UDP, 51413);
            Optional<MappingProtocol.Response> other = pcp.parse(garbage, Transport.UDP, 51413);
            assertThat(natPmp.stream().mapToInt(MappingProtocol.Response::external))
                    .allMatch(port -> port <= 65535);
            assertThat(other.filter(MappingProtocol.Response::isMapped)).isEmpty();
        }
        gateway.silent = true;
        assertThatThrownBy(() -> mapper.map(Requested.AUTO))
                .isInstanceOf(IOException.class)
                .hasMessage("NAT-PMP: the gateway does not respond; PCP: the gateway does not respond");
    }

    @Test
    void a_lifetime_of_nothing_is_a_refusal_and_one_of_136_years_is_shortened() throws IOException {
        gateway.seconds = -1;
        assertThat(mapper.map(Requested.NATPMP).lifetime()).hasDays(1);
        gateway.seconds = 0;
        assertThatThrownBy(() -> mapper.map(Requested.NATPMP)).hasMessageContaining("refuses");
    }
}
