// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;

/** Checks whether this kernel supports a netlink protocol; sandboxes and small kernels lack some. */
public final class NetlinkProtocol {

    /** {@code NETLINK_NETFILTER} (include/uapi/linux/netlink.h). */
    public static final int NETFILTER = 12;

    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW = 3;
    private static final int SOCK_CLOEXEC = 0x80000;

    private NetlinkProtocol() {}

    /**
     * Returns the errno of opening a socket of this protocol in the calling thread's network namespace; 0 on success.
     */
    public static int checkSupport(int protocol) {
        try {
            Libc.close(Libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
            return 0;
        } catch (LastErrorException e) {
            return e.getErrorCode();
        }
    }
}
