// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import java.util.Optional;

/** The marks by which Culvert's objects in the kernel are recognized, without a state file. */
public final class Ownership {

    /**
     * The protocol number of Culvert's rules, routes and addresses: ASCII {@code C}. It is unused: neither
     * include/uapi/linux/rtnetlink.h ({@code RTPROT_*}) nor iproute2's {@code rt_protos} has it.
     */
    public static final int PROTOCOL = 67;

    /** The alias of Culvert's links. */
    public static final String ALIAS = "culvert";

    private static final String OF_NODE = ALIAS + " mesh ";

    private Ownership() {}

    /** Returns the alias of the links of a mesh node. */
    public static String ofNode(String node) {
        return OF_NODE + node;
    }

    static boolean isOurs(String alias) {
        return alias.equals(ALIAS) || alias.startsWith(OF_NODE);
    }

    /** Returns the node that a link belongs to; empty if it belongs to none. */
    public static Optional<String> node(String alias) {
        return alias.startsWith(OF_NODE) ? Optional.of(alias.substring(OF_NODE.length())) : Optional.empty();
    }
}
