// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Looks up host names as the C library does: in the hosts file, by DNS, or by what nsswitch.conf(5) names. Java's own
 * call of the same function does not tell a name that does not exist from a resolver that does not respond yet, and
 * remembers both for ten seconds.
 */
public final class HostLookup {

    /** {@code struct addrinfo} where pointers have 64 bits (netdb.h): flags, family, type, protocol, length, … */
    private static final int SIZE = 48;

    private static final int FAMILY = 4;
    private static final int SOCKET_TYPE = 8;
    private static final int ADDRESS_LENGTH = 16;
    private static final int ADDRESS = 24;
    private static final int NEXT = 40;

    /** One entry for each address, not one for each protocol. */
    private static final int SOCK_DGRAM = 2;

    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;

    /** The name, its address or its address family does not exist (netdb.h). */
    private static final int EAI_NONAME = -2;

    private static final int EAI_NODATA = -5;
    private static final int EAI_ADDRFAMILY = -9;

    /** No usable response: a timeout, SERVFAIL, or no server can be reached (netdb.h). */
    private static final int EAI_AGAIN = -3;

    /** More than any real response, for a list that does not end. */
    private static final int MAX_ADDRESSES = 4096;

    private HostLookup() {}

    /** The result of a lookup. */
    public sealed interface Result {

        /** @param addresses at least one; those of IPv4 first */
        record Found(List<InetAddress> addresses) implements Result {

            public Found {
                addresses = List.copyOf(addresses);
            }
        }

        /** The name does not exist, or has no address: it is of no use to ask again. */
        record Nonexistent() implements Result {}

        /** @param reason why another attempt may succeed */
        record NoResponse(String reason) implements Result {}
    }

    /** Looks up a name; may take as long as the resolver's timeouts, usually ten seconds. */
    public static Result of(String name) {
        byte[] hints = new byte[SIZE];
        ByteBuffer.wrap(hints).order(ByteOrder.nativeOrder()).putInt(SOCKET_TYPE, SOCK_DGRAM);
        long[] list = new long[1];
        int error = Libc.getaddrinfo(name, null, hints, list);
        return switch (error) {
            case 0 -> found(list[0]);
            case EAI_NONAME, EAI_NODATA, EAI_ADDRFAMILY -> new Result.Nonexistent();
            case EAI_AGAIN -> new Result.NoResponse("no usable response from the DNS servers");
            default -> new Result.NoResponse("error " + error + " of getaddrinfo");
        };
    }

    private static Result found(long list) {
        try {
            List<InetAddress> addresses = new ArrayList<>();
            for (long entry = list; entry != 0 && addresses.size() < MAX_ADDRESSES; ) {
                ByteBuffer fields = memory(entry, SIZE);
                ByteBuffer address = memory(fields.getLong(ADDRESS), fields.getInt(ADDRESS_LENGTH));
                switch (fields.getInt(FAMILY)) {
                    case AF_INET -> addresses.add(InetAddress.getByAddress(bytes(address, 4, 4)));
                    case AF_INET6 -> addresses.add(ipv6(bytes(address, 8, 16), address.getInt(24)));
                    default -> {
                        // A family that WireGuard does not use.
                    }
                }
                entry = fields.getLong(NEXT);
            }
            addresses.sort(Comparator.comparing(Inet6Address.class::isInstance));
            return addresses.isEmpty() ? new Result.Nonexistent() : new Result.Found(addresses);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e); // Only for a wrong number of bytes.
        } finally {
            Libc.freeaddrinfo(list);
        }
    }

    private static InetAddress ipv6(byte[] address, int scope) throws UnknownHostException {
        return scope == 0 ? InetAddress.getByAddress(address) : Inet6Address.getByAddress(null, address, scope);
    }

    private static byte[] bytes(ByteBuffer memory, int offset, int count) {
        byte[] bytes = new byte[count];
        memory.get(offset, bytes);
        return bytes;
    }

    private static ByteBuffer memory(long address, int length) {
        byte[] bytes = new byte[length];
        Libc.memcpy(bytes, address, length);
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    }
}
