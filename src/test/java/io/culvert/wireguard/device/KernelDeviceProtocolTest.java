// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Errno;
import io.culvert.linux.SockAddr;
import io.culvert.net.Prefix;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.ScriptedNetlinkSocket;
import io.culvert.netlink.ScriptedNetlinkSocket.Reply;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.SecretKey;
import io.culvert.wireguard.device.DeviceConfig.PeerConfig;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The messages to and from the kernel's WireGuard, byte by byte, with a fake kernel. */
class KernelDeviceProtocolTest {

    private static final int FAMILY = 0x21;
    private static final KernelMessages MESSAGES = new KernelMessages(FAMILY, "wg0");
    private static final DeviceState UNCONFIGURED = new DeviceState(Optional.empty(), 0, 0, List.of());
    private static final PublicKey PEER = new PublicKey(filled(2));

    @Test
    void a_change_is_encoded_as_in_the_header_file() {
        PeerConfig peer = new PeerConfig(
                PEER,
                Optional.of(new SecretKey(filled(3))),
                Optional.of(new InetSocketAddress("203.0.113.9", 0xca6c)),
                25,
                List.of(Prefix.parse("10.0.0.0/8"), Prefix.parse("fd00::/8")));
        List<NetlinkMessage> messages = MESSAGES.set(DeviceChange.between(
                new DeviceConfig(new SecretKey(filled(1)), 51820, 0x51000000L, List.of(peer)), UNCONFIGURED));

        assertThat(messages).singleElement().satisfies(message -> {
            assertThat(message.type()).isEqualTo(FAMILY);
            assertThat(HexFormat.of().formatHex(message.payload()))
                    .isEqualTo(String.join(
                            "",
                            "01010000", // WG_CMD_SET_DEVICE, version 1
                            "08000200" + "77673000", // IFNAME wg0
                            "24000300" + "01".repeat(32), // PRIVATE_KEY
                            "06000600" + "6cca0000", // LISTEN_PORT
                            "08000700" + "00000051", // FWMARK
                            "bc000880", // PEERS
                            "b8000080", // the first peer
                            "24000100" + "02".repeat(32), // PUBLIC_KEY
                            "08000300" + "02000000", // FLAGS: REPLACE_ALLOWEDIPS
                            "24000200" + "03".repeat(32), // PRESHARED_KEY
                            "14000400" + "0200ca6ccb007109" + "00".repeat(8), // ENDPOINT, sockaddr_in
                            "06000500" + "19000000", // PERSISTENT_KEEPALIVE_INTERVAL
                            "48000980", // ALLOWEDIPS
                            "1c000080" + "06000100" + "02000000" + "08000200" + "0a000000" + "05000300" + "08000000",
                            "28000080" + "06000100" + "0a000000" + "14000200" + "fd" + "00".repeat(15) + "05000300"
                                    + "08000000"));
        });
    }

    @Test
    void many_peers_are_split_into_several_messages() {
        List<PeerConfig> peers = new ArrayList<>();
        for (int i = 1; i <= 40; i++) {
            peers.add(peer(filled(i), i == 40 ? 600 : 1));
        }
        List<NetlinkMessage> messages = MESSAGES.set(
                DeviceChange.between(new DeviceConfig(new SecretKey(filled(99)), 0, 0, peers), UNCONFIGURED));
        List<DeviceState> parts = messages.stream()
                .map(message -> KernelResponse.parse(List.of(message)))
                .toList();

        // 32 small peers; 7 more; then 256, 256 and 88 allowed IPs of the last.
        assertThat(parts.stream().map(part -> part.peers().size())).containsExactly(32, 7, 1, 1, 1);
        assertThat(parts.stream()
                        .skip(2)
                        .map(part -> part.peers().getFirst().allowedIps().size()))
                .containsExactly(256, 256, 88);
        assertThat(messages).allSatisfy(message -> assertThat(message.payload()).hasSizeLessThan(1 << 16));
        DeviceState whole = KernelResponse.parse(messages);
        assertThat(whole.peers()).hasSize(40);
        assertThat(whole.peers().getLast().allowedIps())
                .isEqualTo(peers.getLast().allowedIps());
    }

    @Test
    void a_response_is_parsed() {
        byte[] time = ByteBuffer.allocate(16)
                .order(ByteOrder.nativeOrder())
                .putLong(1_700_000_000)
                .putLong(5)
                .array();
        NetlinkMessage response = response(writer -> writer.u32(1, 7)
                .string(2, "wg0")
                .bytes(3, filled(1))
                .bytes(4, KeyGenerator.publicOf(new SecretKey(filled(1))).bytes())
                .u16(6, 51820)
                .u32(7, 0x51000000L)
                .nested(
                        8,
                        peers -> peers.nested(
                                0,
                                peer -> peer.bytes(1, PEER.bytes())
                                        .bytes(2, new byte[32])
                                        .bytes(4, SockAddr.encode(new InetSocketAddress("2001:db8::9", 443)))
                                        .u16(5, 25)
                                        .bytes(6, time)
                                        .u64(7, 34)
                                        .u64(8, 12)
                                        .u32(10, 1))));

        assertThat(KernelResponse.parse(List.of(response)))
                .isEqualTo(new DeviceState(
                        Optional.of(KeyGenerator.publicOf(new SecretKey(filled(1)))),
                        51820,
                        0x51000000L,
                        List.of(new PeerState(
                                PEER,
                                false,
                                Optional.of(new InetSocketAddress("2001:db8::9", 443)),
                                Optional.of(Instant.ofEpochSecond(1_700_000_000, 5)),
                                34,
                                12,
                                25,
                                List.of()))));
    }

    @Test
    void a_change_that_was_accepted_but_not_applied_is_reported() {
        ScriptedNetlinkSocket socket = new ScriptedNetlinkSocket(_ -> Reply.done());

        assertThatThrownBy(() -> device(socket).configure(config()))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining(
                        "was not applied, although the device accepted it: private key, listen port, peer "
                                + PEER.shortText());
    }

    @Test
    void kernel_errors_are_reported_with_their_message() {
        assertThatThrownBy(() -> device(refusing(Errno.EADDRINUSE, "")).configure(config()))
                .hasMessageContaining("the UDP port is already in use");
        assertThatThrownBy(() -> device(refusing(Errno.EINVAL, "its words")).configure(config()))
                .hasMessageContaining("invalid argument (errno 22): its words");
        assertThatThrownBy(() -> device(new ScriptedNetlinkSocket(_ -> Reply.refused(Errno.EPERM, "")))
                        .read())
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("NET_ADMIN");
    }

    @FuzzTest(maxDuration = "1m")
    void any_response_is_parsed_or_rejected(byte[] data) {
        try {
            KernelResponse.parse(List.of(new NetlinkMessage(FAMILY, 0, data), new NetlinkMessage(FAMILY, 0, data)));
        } catch (IllegalArgumentException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    private static DeviceConfig config() {
        return new DeviceConfig(new SecretKey(filled(1)), 51820, 0, List.of(peer(PEER.bytes(), 1)));
    }

    private static PeerConfig peer(byte[] key, int allowedIps) {
        List<Prefix> prefixes = new ArrayList<>();
        for (int i = 0; i < allowedIps; i++) {
            prefixes.add(Prefix.parse("10." + key[0] + "." + i / 250 + "." + i % 250 + "/32"));
        }
        return new PeerConfig(new PublicKey(key), Optional.empty(), Optional.empty(), 0, prefixes);
    }

    private static ScriptedNetlinkSocket refusing(int errno, String words) {
        return new ScriptedNetlinkSocket(request ->
                request.payload()[0] == KernelMessages.GET_DEVICE ? Reply.done() : Reply.refused(errno, words));
    }

    private static KernelDevice device(ScriptedNetlinkSocket socket) {
        return new KernelDevice("wg0", socket, FAMILY, new DeviceLinks(() -> socket, "culvert"));
    }

    private static NetlinkMessage response(Consumer<AttributeWriter> content) {
        AttributeWriter writer = AttributeWriter.after(new byte[4]);
        content.accept(writer);
        return new NetlinkMessage(FAMILY, 0, writer.toByteArray());
    }

    private static byte[] filled(int value) {
        byte[] bytes = new byte[32];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
