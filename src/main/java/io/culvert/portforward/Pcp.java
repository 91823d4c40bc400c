// SPDX-License-Identifier: Apache-2.0
package io.culvert.portforward;

import io.culvert.net.Transport;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/** The Port Control Protocol's MAP requests (RFC 6887, sections 7 and 11). */
final class Pcp implements MappingProtocol {

    static final int VERSION = 2;

    /** Bytes of the secret that a response has to repeat. */
    static final int NONCE = 12;

    private static final int MAP = 1;
    private static final int RESPONSE = 0x80;
    private static final int HEADER = 24;
    private static final int LENGTH = HEADER + 36;
    private static final int ADDRESS = 16;

    private final byte[] client;
    private final byte[] nonce;

    /**
     * @param client the address of this node that the gateway sees
     * @param nonce 12 random bytes, the same for a mapping and its renewals
     */
    Pcp(InetAddress client, byte[] nonce) {
        this.client = mapped(client);
        this.nonce = nonce.clone();
    }

    @Override
    public byte[] request(Transport transport, int internal, int external, int seconds) {
        return ByteBuffer.allocate(LENGTH)
                .put((byte) VERSION)
                .put((byte) MAP)
                .putShort((short) 0)
                .putInt(seconds)
                .put(client)
                .put(nonce)
                .put((byte) transport.number())
                .put(new byte[3])
                .putShort((short) internal)
                .putShort((short) external)
                .put(anyAddress())
                .array();
    }

    @Override
    public Optional<Response> parse(byte[] packet, Transport transport, int internal) {
        if (packet.length >= 4 && packet[0] == 0 && (packet[1] & RESPONSE) != 0) {
            // A gateway that knows NAT-PMP only (RFC 6886, section 3.5).
            return Optional.of(new Response(Response.UNSUPPORTED_VERSION, 0, 0, 0));
        }
        if (packet.length < HEADER || packet[0] != VERSION || (packet[1] & 0xff) != (RESPONSE | MAP)) {
            return Optional.empty();
        }
        ByteBuffer buffer = ByteBuffer.wrap(packet);
        int result = packet[3] & 0xff;
        long epoch = buffer.getInt(8) & 0xffffffffL;
        if (packet.length < LENGTH) {
            return result == 0 ? Optional.empty() : Optional.of(new Response(result, 0, 0, epoch));
        }
        boolean isOurs = Arrays.equals(packet, HEADER, HEADER + NONCE, nonce, 0, NONCE)
                && packet[HEADER + NONCE] == transport.number()
                && (buffer.getShort(HEADER + NONCE + 4) & 0xffff) == internal;
        return isOurs
                ? Optional.of(new Response(
                        result, buffer.getShort(HEADER + NONCE + 6) & 0xffff, buffer.getInt(4) & 0xffffffffL, epoch))
                : Optional.empty();
    }

    /** Returns an address in the 16 bytes of an IPv6 address (RFC 4291, section 2.5.5.2). */
    private static byte[] mapped(InetAddress address) {
        return address instanceof Inet4Address
                ? ByteBuffer.wrap(anyAddress()).put(12, address.getAddress()).array()
                : address.getAddress();
    }

    /** Returns {@code ::ffff:0.0.0.0}, any IPv4 address. */
    private static byte[] anyAddress() {
        return ByteBuffer.allocate(ADDRESS).putShort(10, (short) 0xffff).array();
    }

    @Override
    public String toString() {
        return "PCP";
    }
}
