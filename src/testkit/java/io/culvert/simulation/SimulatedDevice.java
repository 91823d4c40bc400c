// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import io.culvert.linux.SockAddr;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** A WireGuard device and its answers to generic netlink (include/uapi/linux/wireguard.h). */
final class SimulatedDevice {

    private static final Map<SecretKey, byte[]> PUBLIC_KEYS = new ConcurrentHashMap<>();

    /** A peer. Times are monotonic, in nanoseconds. */
    static final class Peer {
        final byte[] key;
        byte[] presharedKey = new byte[32];
        byte[] endpoint = {};
        Optional<Instant> lastHandshake = Optional.empty();
        Optional<Long> session = Optional.empty();
        Optional<Long> unansweredSince = Optional.empty();
        long received;
        long sent;
        int keepalive;
        List<byte[]> allowedIps = new ArrayList<>();

        Peer(byte[] key) {
            this.key = key;
        }

        Optional<InetSocketAddress> endpointAddress() {
            return endpoint.length == 0 ? Optional.empty() : Optional.of(SockAddr.decode(endpoint));
        }
    }

    final String name;
    Optional<byte[]> publicKey = Optional.empty();
    int port;
    long mark;
    final Map<String, Peer> peers = new LinkedHashMap<>();

    SimulatedDevice(String name, int port) {
        this.name = name;
        this.port = port;
    }

    /** Carries out WG_CMD_SET_DEVICE. */
    void set(byte[] payload, Runnable onKeepalive) {
        Attributes attributes = Attributes.parse(payload, 4);
        attributes.bytes(3).ifPresent(key -> {
            SecretKey secret = new SecretKey(key);
            publicKey = Optional.of(PUBLIC_KEYS.computeIfAbsent(
                    secret, it -> KeyGenerator.publicOf(it).bytes()));
            peers.values().forEach(peer -> {
                peer.session = Optional.empty();
            });
        });
        attributes.number(6).ifPresent(it -> port = it.intValue());
        attributes.number(7).ifPresent(it -> mark = it & 0xffffffffL);
        for (Attributes.Attribute entry : attributes.nested(8).all()) {
            Attributes peer = Attributes.parse(entry.value(), 0);
            byte[] key = peer.bytes(1).orElseThrow();
            long flags = peer.number(3, 0);
            String id = Arrays.toString(key);
            if ((flags & 1) != 0) {
                peers.remove(id);
                continue;
            }
            if ((flags & 4) != 0 && !peers.containsKey(id)) {
                continue;
            }
            Peer existing = peers.computeIfAbsent(id, _ -> new Peer(key));
            peer.bytes(2).ifPresent(it -> existing.presharedKey = it);
            peer.bytes(4).ifPresent(it -> existing.endpoint = it);
            if ((flags & 2) != 0) {
                existing.allowedIps = new ArrayList<>();
            }
            peer.nested(9).all().forEach(allowed -> existing.allowedIps.add(allowed.value()));
            peer.number(5).ifPresent(it -> {
                boolean starts = existing.keepalive == 0 && it != 0;
                existing.keepalive = it.intValue();
                if (starts) {
                    onKeepalive.run();
                }
            });
        }
    }

    /** Answers WG_CMD_GET_DEVICE. */
    NetlinkMessage get(int family) {
        AttributeWriter writer = AttributeWriter.after(new byte[] {0, 1, 0, 0})
                .u16(6, port)
                .u32(7, mark)
                .string(2, name);
        publicKey.ifPresent(key -> writer.bytes(4, key));
        if (!peers.isEmpty()) {
            writer.nested(8, list -> peers.values().forEach(peer -> list.nested(0, it -> write(peer, it))));
        }
        return new NetlinkMessage(family, NetlinkMessage.NLM_F_MULTI, writer.toByteArray());
    }

    private static void write(Peer peer, AttributeWriter writer) {
        writer.bytes(1, peer.key).bytes(2, peer.presharedKey);
        if (peer.endpoint.length != 0) {
            writer.bytes(4, peer.endpoint);
        }
        writer.u16(5, peer.keepalive)
                .bytes(
                        6,
                        ByteBuffer.allocate(16)
                                .order(ByteOrder.nativeOrder())
                                .putLong(peer.lastHandshake
                                        .map(Instant::getEpochSecond)
                                        .orElse(0L))
                                .putLong(peer.lastHandshake
                                        .map(it -> Math.floorMod(it.toEpochMilli(), 1000L) * 1_000_000)
                                        .orElse(0L))
                                .array())
                .u64(7, peer.received)
                .u64(8, peer.sent);
        writer.nested(9, list -> peer.allowedIps.forEach(allowed -> list.bytes(0x8000, allowed)));
    }
}
