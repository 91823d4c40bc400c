package io.culvert.network;

/** The marks by which what we put into the kernel is known as ours, without any state file. */
public final class Ownership {

    /**
     * The protocol number of our rules, routes and addresses: ASCII {@code C}. It is free: neither
     * include/uapi/linux/rtnetlink.h ({@code RTPROT_*}) nor iproute2's {@code rt_protos} has it.
     */
    public static final int PROTOCOL = 67;

    /** The alias of our links. */
    public static final String ALIAS = "culvert";

    private Ownership() {}
}
