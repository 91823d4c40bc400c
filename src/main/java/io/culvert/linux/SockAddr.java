// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import io.culvert.net.Family;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Encodes and decodes {@code struct sockaddr_in} and {@code sockaddr_in6} (include/uapi/linux/in.h, in6.h). */
public final class SockAddr {

    private static final int SIZE_IPV4 = 16;
    private static final int SIZE_IPV6 = 28;
    private static final int PORT = 2;
    private static final int ADDRESS_IPV4 = 4;

    /** After the flow label. */
    private static final int ADDRESS_IPV6 = 8;

    private static final int SCOPE = 24;

    private SockAddr() {}

    public static byte[] encode(InetSocketAddress endpoint) {
        InetAddress address = endpoint.getAddress();
        Family family = Family.of(address);
        ByteBuffer buffer = ByteBuffer.allocate(family == Family.IPV4 ? SIZE_IPV4 : SIZE_IPV6)
                .order(ByteOrder.nativeOrder())
                .putShort(0, (short) family.number());
        if (address instanceof Inet6Address scoped) {
            buffer.putInt(SCOPE, scoped.getScopeId());
        }
        return buffer.order(ByteOrder.BIG_ENDIAN)
                .putShort(PORT, (short) endpoint.getPort())
                .put(family == Family.IPV4 ? ADDRESS_IPV4 : ADDRESS_IPV6, address.getAddress())
                .array();
    }

    /** @throws IllegalArgumentException if it is neither IPv4 nor IPv6 */
    public static InetSocketAddress decode(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        int family = bytes.length < SIZE_IPV4 ? 0 : buffer.getShort(0);
        InetAddress address;
        if (family == Family.IPV4.number()) {
            address = address(buffer, ADDRESS_IPV4, 4, 0);
        } else if (family == Family.IPV6.number() && bytes.length >= SIZE_IPV6) {
            address = address(buffer, ADDRESS_IPV6, 16, buffer.getInt(SCOPE));
        } else {
            throw new IllegalArgumentException("an endpoint is neither IPv4 nor IPv6");
        }
        int port = Short.toUnsignedInt(buffer.order(ByteOrder.BIG_ENDIAN).getShort(PORT));
        return new InetSocketAddress(address, port);
    }

    private static InetAddress address(ByteBuffer buffer, int at, int length, int scope) {
        byte[] address = new byte[length];
        buffer.get(at, address);
        try {
            return scope == 0 ? InetAddress.getByAddress(address) : Inet6Address.getByAddress(null, address, scope);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
