// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

/** No server responded, and the query must not be sent in another way. */
final class NoResponseException extends Exception {

    private final int extendedCode;

    /**
     * Creates the failure.
     *
     * @param extendedCode an extended DNS error code (RFC 8914)
     * @param reason the reason for users
     */
    NoResponseException(int extendedCode, String reason) {
        super(reason);
        this.extendedCode = extendedCode;
    }

    int extendedCode() {
        return extendedCode;
    }

    /** Returns the reason for users. */
    String reason() {
        return String.valueOf(getMessage());
    }
}
