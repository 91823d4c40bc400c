package io.culvert.linux;

import io.culvert.ip.Family;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** {@code struct sockaddr_in} and {@code sockaddr_in6} (include/uapi/linux/in.h, in6.h): whom a socket speaks to. */
final class SocketName {

    private SocketName() {}

    static byte[] of(InetSocketAddress peer) {
        Family family = Family.of(peer.getAddress());
        ByteBuffer buffer = ByteBuffer.allocate(family == Family.IPV4 ? 16 : 28);
        buffer.order(ByteOrder.nativeOrder()).putShort((short) family.number());
        buffer.order(ByteOrder.BIG_ENDIAN).putShort((short) peer.getPort());
        if (peer.getAddress() instanceof Inet6Address address) {
            buffer.putInt(0).put(address.getAddress());
            buffer.order(ByteOrder.nativeOrder()).putInt(address.getScopeId());
        } else {
            buffer.put(peer.getAddress().getAddress());
        }
        return buffer.array();
    }
}
