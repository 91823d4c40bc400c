// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.net.Prefix;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.SecretKey;
import io.culvert.wireguard.device.DeviceConfig.PeerConfig;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The text of the configuration protocol, in both directions. */
class UapiTextTest {

    private static final byte[] ONES = filled(1);
    private static final String ONES_HEX = "01".repeat(32);
    private static final String TWOS_HEX = "02".repeat(32);
    private static final String THREES_HEX = "03".repeat(32);

    @Test
    void a_change_is_encoded_with_the_device_before_its_peers() {
        PeerConfig peer = new PeerConfig(
                new PublicKey(filled(2)),
                Optional.of(new SecretKey(filled(3))),
                Optional.of(new InetSocketAddress("2001:db8::1", 51820)),
                25,
                List.of(Prefix.parse("0.0.0.0/0"), Prefix.parse("fd00::/8")));
        DeviceState now = new DeviceState(
                Optional.empty(),
                0,
                0,
                List.of(new PeerState(
                        new PublicKey(ONES), false, Optional.empty(), Optional.empty(), 0, 0, 0, List.of())));

        assertThat(UapiRequest.set(
                        DeviceChange.between(new DeviceConfig(new SecretKey(ONES), 51820, 7, List.of(peer)), now)))
                .isEqualTo("""
                        set=1
                        private_key=%s
                        listen_port=51820
                        fwmark=7
                        public_key=%s
                        remove=true
                        public_key=%s
                        preshared_key=%s
                        endpoint=[2001:db8::1]:51820
                        persistent_keepalive_interval=25
                        replace_allowed_ips=true
                        allowed_ip=0.0.0.0/0
                        allowed_ip=fd00::/8

                        """.formatted(ONES_HEX, ONES_HEX, TWOS_HEX, THREES_HEX));
    }

    @Test
    void an_endpoint_change_creates_no_peer() {
        assertThat(DeviceChange.endpointChange(new PublicKey(ONES), new InetSocketAddress("203.0.113.1", 1), 9).stream()
                        .map(UapiRequest::set))
                .containsExactly("""
                        set=1
                        public_key=%s
                        update_only=true
                        endpoint=203.0.113.1:1
                        persistent_keepalive_interval=0

                        """.formatted(ONES_HEX), """
                        set=1
                        public_key=%s
                        update_only=true
                        persistent_keepalive_interval=9

                        """.formatted(ONES_HEX));
    }

    @Test
    void a_response_with_peers_is_parsed() {
        UapiResponse response =
                UapiResponse.parse("""
                private_key=%s
                listen_port=51820
                fwmark=1358954496
                public_key=%s
                preshared_key=%s
                protocol_version=1
                endpoint=203.0.113.9:51820
                last_handshake_time_sec=1700000000
                last_handshake_time_nsec=5
                tx_bytes=12
                rx_bytes=34
                persistent_keepalive_interval=25
                allowed_ip=0.0.0.0/0
                allowed_ip=::/0
                something_new=1
                public_key=%s
                preshared_key=%s
                endpoint=[fe80::1%%eth0]:9
                last_handshake_time_sec=0
                last_handshake_time_nsec=0
                errno=0

                """.formatted(ONES_HEX, TWOS_HEX, ONES_HEX, THREES_HEX, "00".repeat(32)));

        assertThat(response)
                .isEqualTo(new UapiResponse(
                        0,
                        new DeviceState(
                                Optional.of(KeyGenerator.publicOf(new SecretKey(ONES))),
                                51820,
                                0x51000000L,
                                List.of(
                                        new PeerState(
                                                new PublicKey(filled(2)),
                                                true,
                                                Optional.of(new InetSocketAddress("203.0.113.9", 51820)),
                                                Optional.of(Instant.ofEpochSecond(1_700_000_000, 5)),
                                                34,
                                                12,
                                                25,
                                                List.of(Prefix.parse("0.0.0.0/0"), Prefix.parse("::/0"))),
                                        new PeerState(
                                                new PublicKey(filled(3)),
                                                false,
                                                Optional.of(new InetSocketAddress("fe80::1", 9)),
                                                Optional.empty(),
                                                0,
                                                0,
                                                0,
                                                List.of())))));
    }

    @Test
    void an_error_response_has_an_error_number() {
        assertThat(UapiResponse.parse("errno=-98\n\n").errno()).isEqualTo(-98);
    }

    @Test
    void a_malformed_response_is_rejected_with_its_line_and_without_its_value() {
        assertThatThrownBy(() -> UapiResponse.parse("listen_port=1\nprivate_key=zz-secret\nerrno=0\n\n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("line 2 of the device's response is malformed (private_key)")
                .hasNoCause();
        assertThatThrownBy(() -> UapiResponse.parse("listen_port=65536\nerrno=0\n\n"))
                .hasMessageContaining("line 1");
        assertThatThrownBy(() -> UapiResponse.parse("no equals sign\n\n")).hasMessageContaining("line 1");
        assertThatThrownBy(() -> UapiResponse.parse("listen_port=1\n\n")).hasMessageContaining("no errno");
    }

    @FuzzTest(maxDuration = "1m")
    void any_response_is_parsed_or_rejected(byte[] data) {
        try {
            UapiResponse.parse(new String(data, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    private static byte[] filled(int value) {
        byte[] bytes = new byte[32];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
