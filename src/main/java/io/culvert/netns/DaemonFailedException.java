// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

/** Thrown if a namespace daemon could not start, with its error messages. */
public final class DaemonFailedException extends RuntimeException {

    private final int status;

    /**
     * Creates the exception.
     *
     * @param messages the complete error messages of the daemon
     */
    DaemonFailedException(int status, String messages) {
        super(messages.strip());
        this.status = status;
    }

    public int exitStatus() {
        return status;
    }
}
