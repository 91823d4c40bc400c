// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.util.stream.Stream;

/** The rule for names of peers, subnets and groups in a network file, of which host names and file names are made. */
public final class NodeName {

    /** Leaves room for a second name and a suffix within the 253 characters of a host name. */
    private static final int MAX_LENGTH = 200;

    private NodeName() {}

    /** Returns whether a text is a valid name: labels of letters, digits, hyphens and underscores, joined by dots. */
    public static boolean isValid(String text) {
        return text.length() <= MAX_LENGTH && Stream.of(text.split("\\.", -1)).allMatch(Host::isLabel);
    }
}
