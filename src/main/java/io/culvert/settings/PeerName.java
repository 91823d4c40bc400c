// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.NodeName;

/** Parses the name of a peer in a network file, which is also a host name. */
final class PeerName {

    private PeerName() {}

    static String parse(String text) {
        String name = text.strip();
        if (!NodeName.isValid(name)) {
            throw new MalformedValue(
                    "'" + text + "' is not the name of a peer",
                    "use the name from the network file: letters, digits, hyphens and dots");
        }
        return name;
    }
}
