// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

/** A message of the kernel in a format that is not known here, so that what it says is not known either. */
public final class MalformedMessageException extends RuntimeException {

    public MalformedMessageException(String message) {
        super("unsupported message of the kernel: " + message);
    }
}
