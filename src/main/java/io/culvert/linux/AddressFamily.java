// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import io.culvert.net.Family;

/** Checks whether this kernel supports an address family; some are started without IPv6 ({@code ipv6.disable=1}). */
public final class AddressFamily {

    /** include/linux/net.h. */
    private static final int SOCK_DGRAM = 2;

    private static final int SOCK_CLOEXEC = 0x80000;

    private AddressFamily() {}

    /** Returns whether the kernel supports the family; also if a socket is refused for another reason. */
    public static boolean isSupported(Family family) {
        try {
            Libc.close(Libc.socket(family.number(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
            return true;
        } catch (LastErrorException e) {
            return e.getErrorCode() != Errno.EAFNOSUPPORT;
        }
    }
}
