// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.net.InetAddress;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The host of an endpoint: an address or a name. */
public sealed interface Host {

    /** A text that can only be meant as an address. */
    Pattern NUMERIC = Pattern.compile("[0-9.]+");

    /** One label of a name, of any length. */
    Pattern LABEL = Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?");

    /** An IP address. */
    record Literal(InetAddress address) implements Host {
        @Override
        public String toString() {
            return Prefix.text(address);
        }
    }

    /** A DNS name, as written. */
    record Name(String name) implements Host {
        @Override
        public String toString() {
            return name;
        }
    }

    /**
     * Parses an address literal, or a host name of letters, digits, hyphens, underscores and dots: labels of up to 63
     * characters, 253 in all (RFC 1035, section 2.3.4).
     *
     * @throws IllegalArgumentException with a message for the user
     */
    static Host parse(String text) {
        if (text.indexOf(':') >= 0 || NUMERIC.matcher(text).matches()) {
            return new Literal(Prefix.parseAddress(text));
        }
        String name = text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
        // Checks the length first, because the pattern of labels must not run on a megabyte.
        if (name.length() > 253 || !Stream.of(name.split("\\.", -1)).allMatch(Host::isLabel)) {
            throw new IllegalArgumentException("'" + text + "' is neither an IP address nor a host name");
        }
        return new Name(text);
    }

    /** Returns whether a text is one label of a name. */
    static boolean isLabel(String text) {
        return text.length() <= 63 && LABEL.matcher(text).matches();
    }
}
