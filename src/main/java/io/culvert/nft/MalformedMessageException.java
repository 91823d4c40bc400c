// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

/** A message of nf_tables that is not in the kernel's format. */
final class MalformedMessageException extends RuntimeException {

    MalformedMessageException(String message) {
        super("unsupported message of nf_tables: " + message);
    }
}
