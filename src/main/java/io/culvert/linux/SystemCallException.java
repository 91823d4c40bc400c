// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;

/** A system call failed. */
public final class SystemCallException extends RuntimeException {

    private final int errno;

    /** @param call the failed call, such as {@code open /dev/net/tun} */
    public SystemCallException(String call, int errno) {
        super(call + ": " + Errno.describe(errno));
        this.errno = errno;
    }

    static SystemCallException of(String call, LastErrorException e) {
        return new SystemCallException(call, e.getErrorCode());
    }

    public int errno() {
        return errno;
    }
}
