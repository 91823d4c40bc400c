package io.culvert.settings;

/** The mark on the packets of our own WireGuard sockets, by which the guard knows them. */
final class Mark {

    /** Tailscale takes bits 16 to 23 in its rules and bits 8 to 15 in its nftables rules. */
    private static final long TAILSCALES = 0x00ffff00L;

    /** 51820, the mark that wg-quick gives a full tunnel. */
    private static final long WG_QUICKS = 0xca6cL;

    private Mark() {}

    /** 1 to 4294967295, in hexadecimal or decimal. */
    static Long parse(String text) {
        long mark;
        if (text.matches("0[xX][0-9A-Fa-f]{1,8}")) {
            mark = Long.parseLong(text.substring(2), 16);
        } else if (text.matches("[0-9]{1,10}")) {
            mark = Long.parseLong(text);
        } else {
            throw new Malformed("is '" + text + "', which is not a mark", "write a number such as 0x51000000");
        }
        if (mark == 0 || mark > 0xffffffffL) {
            throw new Malformed(
                    "is '" + text + "', but the guard needs a mark of 1 to 0xffffffff",
                    "leave the setting out, or write a number such as 0x51000000");
        }
        if ((mark & TAILSCALES) != 0) {
            throw new Malformed(
                    "is '" + text + "', which has bits between 8 and 23 set; they belong to Tailscale's own rules"
                            + (mark == WG_QUICKS ? ", with which wg-quick's usual mark 0xca6c collides" : ""),
                    "leave the setting out, or write a number whose bits 8 to 23 are clear, such as 0x51000000");
        }
        return mark;
    }
}
