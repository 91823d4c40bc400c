// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HexFormat;

/**
 * Generates the IPv6 address of a peer in a subnet from their names: a unique local prefix (RFC 4193) from the subnet's
 * name, and an interface identifier from the peer's. Wirenix generates the same addresses (lib.nix,
 * generateIPv6Address).
 */
final class AutoAddress {

    private static final int SUBNET_DIGITS = 14;
    private static final int PEER_DIGITS = 16;
    private static final int LENGTH = 64;

    private AutoAddress() {}

    /** Returns the address with the prefix length of its subnet. */
    static Prefix of(String subnet, String peer) {
        String hex = "fd"
                + Sha256.hex(subnet).substring(0, SUBNET_DIGITS)
                + Sha256.hex(peer).substring(0, PEER_DIGITS);
        return new Prefix(address(HexFormat.of().parseHex(hex)), LENGTH);
    }

    private static InetAddress address(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("16 bytes are an address", e);
        }
    }
}
