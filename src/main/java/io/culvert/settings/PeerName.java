// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

/** Parses the name of a peer in a network file, which is also a host name. */
final class PeerName {

    private PeerName() {}

    static String parse(String text) {
        String name = text.strip();
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9.-]{0,199}")) {
            throw new MalformedValue(
                    "'" + text + "' is not the name of a peer",
                    "use the name from the network file: letters, digits, hyphens and dots");
        }
        return name;
    }
}
