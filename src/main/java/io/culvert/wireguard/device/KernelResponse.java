// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.linux.SockAddr;
import io.culvert.net.Prefix;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.Attributes.Attribute;
import io.culvert.netlink.GenericNetlink;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Parses the response to {@code WG_CMD_GET_DEVICE} (include/uapi/linux/wireguard.h), which may consist of several
 * messages. Only the first has the device's own attributes; a peer whose allowed IPs did not fit is continued in the
 * next, with only its key and the remaining ones.
 */
final class KernelResponse {

    private KernelResponse() {}

    /** @throws IllegalArgumentException if the response is malformed */
    static DeviceState parse(List<NetlinkMessage> messages) {
        List<Attributes> parts = messages.stream()
                .map(message -> Attributes.parse(message.payload(), GenericNetlink.HEADER))
                .toList();
        List<PeerState> peers = new ArrayList<>();
        for (Attributes part : parts) {
            for (Attribute peer : part.nested(KernelMessages.DEVICE_PEERS).all()) {
                add(peers, Attributes.parse(peer.value(), 0));
            }
        }
        return new DeviceState(
                first(parts, KernelMessages.DEVICE_PUBLIC_KEY)
                        .filter(KernelResponse::isSet)
                        .map(PublicKey::new),
                number(parts, KernelMessages.DEVICE_LISTEN_PORT).intValue(),
                number(parts, KernelMessages.DEVICE_FWMARK),
                peers);
    }

    private static void add(List<PeerState> peers, Attributes attributes) {
        PeerState peer = peer(attributes);
        if (!peers.isEmpty() && peers.getLast().publicKey().equals(peer.publicKey())) {
            PeerState incomplete = peers.removeLast();
            peers.add(new PeerState(
                    incomplete.publicKey(),
                    incomplete.presharedKey(),
                    incomplete.endpoint(),
                    incomplete.lastHandshake(),
                    incomplete.receivedBytes(),
                    incomplete.sentBytes(),
                    incomplete.keepaliveSeconds(),
                    Stream.concat(incomplete.allowedIps().stream(), peer.allowedIps().stream())
                            .toList()));
        } else {
            peers.add(peer);
        }
    }

    private static PeerState peer(Attributes attributes) {
        return new PeerState(
                new PublicKey(attributes
                        .bytes(KernelMessages.PEER_PUBLIC_KEY)
                        .orElseThrow(() -> new IllegalArgumentException("a peer has no key"))),
                attributes
                        .bytes(KernelMessages.PEER_PRESHARED_KEY)
                        .filter(KernelResponse::isSet)
                        .isPresent(),
                attributes.bytes(KernelMessages.PEER_ENDPOINT).map(SockAddr::decode),
                attributes.bytes(KernelMessages.PEER_LAST_HANDSHAKE).flatMap(KernelResponse::time),
                attributes.number(KernelMessages.PEER_RX_BYTES).orElse(0L),
                attributes.number(KernelMessages.PEER_TX_BYTES).orElse(0L),
                attributes.number(KernelMessages.PEER_KEEPALIVE).orElse(0L).intValue(),
                attributes.nested(KernelMessages.PEER_ALLOWED_IPS).all().stream()
                        .map(entry -> allowedIp(Attributes.parse(entry.value(), 0)))
                        .toList());
    }

    private static Prefix allowedIp(Attributes attributes) {
        byte[] address = attributes
                .bytes(KernelMessages.ALLOWED_IP_ADDRESS)
                .orElseThrow(() -> new IllegalArgumentException("an allowed IP has no address"));
        long length = attributes
                .number(KernelMessages.ALLOWED_IP_LENGTH)
                .orElseThrow(() -> new IllegalArgumentException("an allowed IP has no length"));
        try {
            return new Prefix(InetAddress.getByAddress(address), (int) Math.min(length, Integer.MAX_VALUE));
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("an allowed IP is neither IPv4 nor IPv6", e);
        }
    }

    /** {@code struct __kernel_timespec}: seconds and nanoseconds, eight bytes each; zero before the first handshake. */
    private static Optional<Instant> time(byte[] timespec) {
        if (timespec.length != 16) {
            throw new IllegalArgumentException("a time has " + timespec.length + " bytes");
        }
        ByteBuffer buffer = ByteBuffer.wrap(timespec).order(ByteOrder.nativeOrder());
        if (!isSet(timespec)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Instant.ofEpochSecond(buffer.getLong(0), buffer.getLong(8)));
        } catch (DateTimeException | ArithmeticException e) {
            throw new IllegalArgumentException("a time is out of range", e);
        }
    }

    private static boolean isSet(byte[] bytes) {
        return !Arrays.equals(bytes, new byte[bytes.length]);
    }

    private static Long number(List<Attributes> parts, int type) {
        return parts.stream()
                .flatMap(part -> part.number(type).stream())
                .findFirst()
                .orElse(0L);
    }

    private static Optional<byte[]> first(List<Attributes> parts, int type) {
        return parts.stream().flatMap(part -> part.bytes(type).stream()).findFirst();
    }
}
