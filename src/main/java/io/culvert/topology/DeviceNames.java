package io.culvert.topology;

/** How interfaces are called after their subnets. */
enum DeviceNames {
    /** The subnet's name up to its first dot. */
    SHORT,
    /** The subnet's whole name. */
    LONG,
    /** {@code wn.} and 12 hexadecimal digits, different for each peer and subnet. */
    HASH;

    String of(String peer, String subnet) {
        return switch (this) {
            case SHORT -> subnet.indexOf('.') < 0 ? subnet : subnet.substring(0, subnet.indexOf('.'));
            case LONG -> subnet;
            case HASH -> "wn." + Sha256.hex(peer + "." + subnet).substring(0, 12);
        };
    }
}
