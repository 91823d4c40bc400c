// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

/** The naming schemes for interfaces. */
enum DeviceNames {
    /** The name of the subnet up to its first dot. */
    SHORT,
    /** The whole name of the subnet. */
    LONG,
    /** {@code wn.} and 12 hexadecimal digits of a hash of the peer's and the subnet's name. */
    HASH;

    String of(String peer, String subnet) {
        return switch (this) {
            case SHORT -> subnet.indexOf('.') < 0 ? subnet : subnet.substring(0, subnet.indexOf('.'));
            case LONG -> subnet;
            case HASH -> "wn." + Sha256.hex(peer + "." + subnet).substring(0, 12);
        };
    }
}
