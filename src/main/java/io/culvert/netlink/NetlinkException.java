// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import io.culvert.linux.Errno;
import io.culvert.netlink.NetlinkSocket.Outcome;

/** Thrown if the kernel refuses a request; contains the kernel's own message if there is one. */
public final class NetlinkException extends RuntimeException {

    private final int errno;

    /** @param operation a gerund phrase such as "adding the route to 10.0.0.0/8" */
    public NetlinkException(String operation, Outcome outcome) {
        super(operation + ": " + Errno.describe(outcome.errno())
                + (outcome.message().isEmpty() ? "" : ": " + outcome.message()));
        this.errno = outcome.errno();
    }

    public int errno() {
        return errno;
    }
}
