// SPDX-License-Identifier: Apache-2.0
package io.culvert.portforward;

import io.culvert.net.Transport;
import java.nio.ByteBuffer;
import java.util.Optional;

/** The NAT Port Mapping Protocol (RFC 6886, section 3.3). */
final class NatPmp implements MappingProtocol {

    private static final int VERSION = 0;
    private static final int RESPONSE = 128;

    /** Of a response to a mapping request; one that has no mapping may end after the epoch. */
    private static final int LENGTH = 16;

    private static final int SHORT_LENGTH = 8;

    @Override
    public byte[] request(Transport transport, int internal, int external, int seconds) {
        return ByteBuffer.allocate(12)
                .put((byte) VERSION)
                .put((byte) operation(transport))
                .putShort((short) 0)
                .putShort((short) internal)
                .putShort((short) external)
                .putInt(seconds)
                .array();
    }

    @Override
    public Optional<Response> parse(byte[] packet, Transport transport, int internal) {
        ByteBuffer buffer = ByteBuffer.wrap(packet);
        if (packet.length >= 4 && packet[0] == Pcp.VERSION && (packet[1] & RESPONSE) != 0) {
            // A gateway that knows PCP only (RFC 6887, appendix A).
            return Optional.of(new Response(Response.UNSUPPORTED_VERSION, 0, 0, 0));
        }
        if (packet.length < SHORT_LENGTH
                || packet[0] != VERSION
                || (packet[1] & 0xff) != RESPONSE + operation(transport)) {
            return Optional.empty();
        }
        int result = buffer.getShort(2) & 0xffff;
        long epoch = buffer.getInt(4) & 0xffffffffL;
        if (result != 0) {
            return Optional.of(new Response(result, 0, 0, epoch));
        }
        if (packet.length < LENGTH || (buffer.getShort(8) & 0xffff) != internal) {
            return Optional.empty();
        }
        return Optional.of(new Response(0, buffer.getShort(10) & 0xffff, buffer.getInt(12) & 0xffffffffL, epoch));
    }

    private static int operation(Transport transport) {
        return transport == Transport.UDP ? 1 : 2;
    }

    @Override
    public String toString() {
        return "NAT-PMP";
    }
}
