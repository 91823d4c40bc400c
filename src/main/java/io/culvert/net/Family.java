// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.net.Inet4Address;
import java.net.InetAddress;

/** An IP version. */
public enum Family {
    /** {@code AF_INET} is 2 (include/linux/socket.h). */
    IPV4(2, 32),
    /** {@code AF_INET6} is 10 (include/linux/socket.h). */
    IPV6(10, 128);

    private final int number;
    private final int bits;

    Family(int number, int bits) {
        this.number = number;
        this.bits = bits;
    }

    /** Returns the kernel's number of the address family. */
    public int number() {
        return number;
    }

    /** Returns the name that is shown: {@code IPv4} or {@code IPv6}. */
    public String text() {
        return this == IPV4 ? "IPv4" : "IPv6";
    }

    /** Returns the length of an address in bits. */
    public int bits() {
        return bits;
    }

    /** Returns the family of an address. */
    public static Family of(InetAddress address) {
        return address instanceof Inet4Address ? IPV4 : IPV6;
    }
}
