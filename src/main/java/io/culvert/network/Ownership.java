package io.culvert.network;

import java.util.Optional;

/** The marks by which what we put into the kernel is known as ours, without any state file. */
public final class Ownership {

    /**
     * The protocol number of our rules, routes and addresses: ASCII {@code C}. It is free: neither
     * include/uapi/linux/rtnetlink.h ({@code RTPROT_*}) nor iproute2's {@code rt_protos} has it.
     */
    public static final int PROTOCOL = 67;

    /** The alias of our links. */
    public static final String ALIAS = "culvert";

    private static final String OF_NODE = ALIAS + " mesh ";

    private Ownership() {}

    /** The alias of the links of a mesh's node, by which they are known as its own. */
    public static String ofNode(String node) {
        return OF_NODE + node;
    }

    static boolean isOurs(String alias) {
        return alias.equals(ALIAS) || alias.startsWith(OF_NODE);
    }

    /** The node that a link belongs to; empty where it belongs to none. */
    public static Optional<String> node(String alias) {
        return alias.startsWith(OF_NODE) ? Optional.of(alias.substring(OF_NODE.length())) : Optional.empty();
    }
}
