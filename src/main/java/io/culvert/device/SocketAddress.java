package io.culvert.device;

import io.culvert.ip.Family;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** {@code struct sockaddr_in} and {@code sockaddr_in6} (include/uapi/linux/in.h, in6.h): what the kernel calls an endpoint. */
final class SocketAddress {

    private static final int SIZE_IPV4 = 16;
    private static final int SIZE_IPV6 = 28;
    private static final int PORT = 2;
    private static final int ADDRESS_IPV4 = 4;

    /** Behind the flow label. */
    private static final int ADDRESS_IPV6 = 8;

    private SocketAddress() {}

    static byte[] encode(InetSocketAddress endpoint) {
        InetAddress address = endpoint.getAddress();
        Family family = Family.of(address);
        boolean ipv4 = family == Family.IPV4;
        return ByteBuffer.allocate(ipv4 ? SIZE_IPV4 : SIZE_IPV6)
                .order(ByteOrder.nativeOrder())
                .putShort(0, (short) family.number())
                .order(ByteOrder.BIG_ENDIAN)
                .putShort(PORT, (short) endpoint.getPort())
                .put(ipv4 ? ADDRESS_IPV4 : ADDRESS_IPV6, address.getAddress())
                .array();
    }

    /** @throws IllegalArgumentException when it is neither */
    static InetSocketAddress decode(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        int family = bytes.length < SIZE_IPV4
                ? 0
                : buffer.order(ByteOrder.nativeOrder()).getShort(0);
        byte[] address;
        if (family == Family.IPV4.number()) {
            address = new byte[4];
            buffer.get(ADDRESS_IPV4, address);
        } else if (family == Family.IPV6.number() && bytes.length >= SIZE_IPV6) {
            address = new byte[16];
            buffer.get(ADDRESS_IPV6, address);
        } else {
            throw new IllegalArgumentException("an endpoint is neither IPv4 nor IPv6");
        }
        int port = Short.toUnsignedInt(buffer.order(ByteOrder.BIG_ENDIAN).getShort(PORT));
        try {
            return new InetSocketAddress(InetAddress.getByAddress(address), port);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
