// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.linux.SockAddr;
import io.culvert.net.Prefix;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.GenericNetlink;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.wireguard.device.DeviceChange.PeerChange;
import java.util.ArrayList;
import java.util.List;

/**
 * Encodes requests to the generic netlink family {@code wireguard} (include/uapi/linux/wireguard.h). A change that is
 * too large for one message is split, as the header describes: later messages add to earlier ones.
 *
 * @param family the family's number
 * @param name the name of the interface
 */
record KernelMessages(int family, String name) {

    static final int VERSION = 1;
    static final int GET_DEVICE = 0;
    static final int SET_DEVICE = 1;

    /** {@code enum wgdevice_attribute}. */
    static final int DEVICE_IFNAME = 2;

    static final int DEVICE_PRIVATE_KEY = 3;
    static final int DEVICE_PUBLIC_KEY = 4;
    static final int DEVICE_LISTEN_PORT = 6;
    static final int DEVICE_FWMARK = 7;
    static final int DEVICE_PEERS = 8;

    /** {@code enum wgpeer_attribute}. */
    static final int PEER_PUBLIC_KEY = 1;

    static final int PEER_PRESHARED_KEY = 2;
    static final int PEER_FLAGS = 3;
    static final int PEER_ENDPOINT = 4;
    static final int PEER_KEEPALIVE = 5;
    static final int PEER_LAST_HANDSHAKE = 6;
    static final int PEER_RX_BYTES = 7;
    static final int PEER_TX_BYTES = 8;
    static final int PEER_ALLOWED_IPS = 9;

    /** {@code enum wgpeer_flag}. */
    static final int REMOVE_ME = 1;

    static final int REPLACE_ALLOWED_IPS = 1 << 1;
    static final int UPDATE_ONLY = 1 << 2;

    /** {@code enum wgallowedip_attribute}. */
    static final int ALLOWED_IP_FAMILY = 1;

    static final int ALLOWED_IP_ADDRESS = 2;
    static final int ALLOWED_IP_LENGTH = 3;

    /** Keeps a message well below 64 KiB, the maximum length of a nested attribute. */
    static final int MAX_PEERS = 32;

    static final int MAX_ALLOWED_IPS = 256;

    NetlinkMessage get() {
        return message(newWriter(GET_DEVICE));
    }

    /** Returns the messages in the order in which they must be sent; the first has the device's own attributes. */
    List<NetlinkMessage> set(DeviceChange change) {
        List<List<PeerPart>> parts = parts(change);
        List<NetlinkMessage> messages = new ArrayList<>();
        for (List<PeerPart> part : parts.isEmpty() ? List.of(List.<PeerPart>of()) : parts) {
            AttributeWriter writer = newWriter(SET_DEVICE);
            if (messages.isEmpty()) {
                change.privateKey().ifPresent(key -> writer.bytes(DEVICE_PRIVATE_KEY, key.bytes()));
                change.listenPort().ifPresent(port -> writer.u16(DEVICE_LISTEN_PORT, port));
                change.mark().ifPresent(mark -> writer.u32(DEVICE_FWMARK, mark));
            }
            if (!part.isEmpty()) {
                writer.nested(DEVICE_PEERS, list -> part.forEach(peerPart -> list.nested(0, peerPart::write)));
            }
            messages.add(message(writer));
        }
        return messages;
    }

    /** A part of a peer's allowed IPs and, in the first part, its other attributes. */
    private record PeerPart(PeerChange peer, List<Prefix> allowedIps, boolean first) {

        void write(AttributeWriter writer) {
            writer.bytes(PEER_PUBLIC_KEY, peer.publicKey().bytes());
            writer.u32(PEER_FLAGS, flags());
            if (first) {
                peer.presharedKey().ifPresent(key -> writer.bytes(PEER_PRESHARED_KEY, key.bytes()));
                peer.endpoint().ifPresent(endpoint -> writer.bytes(PEER_ENDPOINT, SockAddr.encode(endpoint)));
                peer.keepaliveSeconds().ifPresent(seconds -> writer.u16(PEER_KEEPALIVE, seconds));
            }
            if (!allowedIps.isEmpty()) {
                writer.nested(
                        PEER_ALLOWED_IPS,
                        list -> allowedIps.forEach(prefix -> list.nested(
                                0,
                                entry -> entry.u16(
                                                ALLOWED_IP_FAMILY,
                                                prefix.family().number())
                                        .bytes(
                                                ALLOWED_IP_ADDRESS,
                                                prefix.address().getAddress())
                                        .u8(ALLOWED_IP_LENGTH, prefix.length()))));
            }
        }

        private int flags() {
            if (!first) {
                return UPDATE_ONLY;
            }
            return (peer.remove() ? REMOVE_ME : 0)
                    | (peer.onlyIfExists() ? UPDATE_ONLY : 0)
                    | (peer.allowedIps().isPresent() ? REPLACE_ALLOWED_IPS : 0);
        }
    }

    private static List<List<PeerPart>> parts(DeviceChange change) {
        List<List<PeerPart>> parts = new ArrayList<>();
        int peers = MAX_PEERS;
        int allowedIps = 0;
        for (PeerChange peer : change.peers()) {
            for (PeerPart peerPart : peerParts(peer)) {
                if (peers == MAX_PEERS || allowedIps + peerPart.allowedIps().size() > MAX_ALLOWED_IPS) {
                    parts.add(new ArrayList<>());
                    peers = 0;
                    allowedIps = 0;
                }
                parts.getLast().add(peerPart);
                peers++;
                allowedIps += peerPart.allowedIps().size();
            }
        }
        return parts;
    }

    private static List<PeerPart> peerParts(PeerChange peer) {
        List<Prefix> allowedIps = peer.allowedIps().orElse(List.of());
        List<PeerPart> peerParts = new ArrayList<>();
        for (int from = 0; from == 0 || from < allowedIps.size(); from += MAX_ALLOWED_IPS) {
            int to = Math.min(from + MAX_ALLOWED_IPS, allowedIps.size());
            peerParts.add(new PeerPart(peer, allowedIps.subList(from, to), from == 0));
        }
        return peerParts;
    }

    private AttributeWriter newWriter(int command) {
        return AttributeWriter.after(GenericNetlink.header(command, VERSION)).string(DEVICE_IFNAME, name);
    }

    private NetlinkMessage message(AttributeWriter content) {
        return new NetlinkMessage(family, 0, content.toByteArray());
    }
}
