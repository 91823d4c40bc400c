// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An address with a prefix length, such as {@code 10.64.0.2/32}. Bits after the prefix may be set, as in the address of
 * an interface.
 *
 * @param length in bits, 0 to 32 or 128
 */
public record Prefix(InetAddress address, int length) {

    private static final Pattern LENGTH = Pattern.compile("[0-9]{1,3}");
    private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
    private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:.]+");

    public Prefix {
        if (length < 0 || length > Family.of(address).bits()) {
            throw new IllegalArgumentException("a prefix length of " + length + " is outside 0 to "
                    + Family.of(address).bits());
        }
    }

    /** Returns the prefix of all addresses of a family: {@code 0.0.0.0/0} or {@code ::/0}. */
    public static Prefix all(Family family) {
        return new Prefix(address(new byte[family.bits() / 8]), 0);
    }

    /** Returns the prefix of one address. */
    public static Prefix host(InetAddress address) {
        return new Prefix(address, Family.of(address).bits());
    }

    /**
     * Parses {@code address} or {@code address/length}, without DNS queries.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    public static Prefix parse(String text) {
        int slash = text.indexOf('/');
        if (slash == 0) {
            throw new MalformedText("'" + text + "' has no address", "write address/length");
        }
        String literal = slash < 0 ? text : text.substring(0, slash);
        InetAddress address = parseAddress(literal);
        if (slash < 0) {
            return host(address);
        }
        String length = text.substring(slash + 1);
        int bits = Family.of(address).bits();
        if (!LENGTH.matcher(length).matches() || Integer.parseInt(length) > bits) {
            throw new IllegalArgumentException(
                    "'" + length + "' is not a prefix length: " + literal + " takes 0 to " + bits);
        }
        return new Prefix(address, Integer.parseInt(length));
    }

    /**
     * Parses an address literal, without DNS queries: four plain decimal octets or an IPv6 literal without a scope.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    public static InetAddress parseAddress(String literal) {
        boolean ipv6 = literal.indexOf(':') >= 0;
        if ((ipv6 ? IPV6 : IPV4).matcher(literal).matches()) {
            try {
                // InetAddress.ofLiteral would throw and catch an exception for each IPv6 address.
                return ipv6 ? Inet6Address.ofLiteral(literal) : Inet4Address.ofLiteral(literal);
            } catch (IllegalArgumentException _) {
                // Reported below, in words of this class.
            }
        }
        throw new IllegalArgumentException("'" + literal + "' is not an IP address");
    }

    public Family family() {
        return Family.of(address);
    }

    /** Returns whether the prefix covers all addresses of its family. */
    public boolean isDefault() {
        return length == 0;
    }

    /** Returns whether the prefix is a single address. */
    public boolean isHost() {
        return length == family().bits();
    }

    /** Returns the prefix with the bits after its length cleared. */
    public Prefix network() {
        if (isHost()) {
            return this;
        }
        byte[] bytes = address.getAddress();
        for (int bit = length; bit < bytes.length * 8; bit++) {
            bytes[bit / 8] &= (byte) ~(0x80 >> (bit % 8));
        }
        return new Prefix(address(bytes), length);
    }

    /** Returns whether bits after the prefix length are set. */
    public boolean hasHostBits() {
        return !network().equals(this);
    }

    public boolean contains(InetAddress other) {
        if (Family.of(other) != family()) {
            return false;
        }
        byte[] bytes = address.getAddress();
        byte[] otherBytes = other.getAddress();
        int wholeBytes = length / 8;
        return Arrays.equals(bytes, 0, wholeBytes, otherBytes, 0, wholeBytes)
                && (length % 8 == 0 || (bytes[wholeBytes] ^ otherBytes[wholeBytes]) >> (8 - length % 8) == 0);
    }

    public boolean contains(Prefix other) {
        return other.length >= length && contains(other.address);
    }

    public boolean overlaps(Prefix other) {
        return contains(other) || other.contains(this);
    }

    /**
     * Returns the two prefixes, one bit longer, of which this one consists.
     *
     * @throws IllegalStateException for a single address
     */
    public List<Prefix> halves() {
        if (isHost()) {
            throw new IllegalStateException(this + " is a single address");
        }
        byte[] upper = network().address.getAddress();
        upper[length / 8] |= (byte) (0x80 >> (length % 8));
        return List.of(new Prefix(network().address, length + 1), new Prefix(address(upper), length + 1));
    }

    /** Returns an address as {@code ip} prints it: IPv6 in the short form of RFC 5952. */
    public static String text(InetAddress address) {
        byte[] bytes = address.getAddress();
        return bytes.length == 4 ? address.getHostAddress() : Rfc5952.text(bytes);
    }

    /**
     * Compares without the generated method of a record, which is slow until it is compiled: prefixes are keys of large
     * sets.
     */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Prefix prefix && length == prefix.length && address.equals(prefix.address);
    }

    @Override
    public int hashCode() {
        return 31 * address.hashCode() + length;
    }

    /** Returns {@code address/length}. */
    @Override
    public String toString() {
        return text(address) + "/" + length;
    }

    private static InetAddress address(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
