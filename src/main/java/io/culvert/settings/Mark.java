// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.Marks;

/**
 * Parses the firewall mark (fwmark) of the packets of Culvert's own WireGuard sockets, by which the kill switch
 * recognizes them.
 */
final class Mark {

    /** 51820, the mark that wg-quick sets for a full tunnel. */
    private static final long WG_QUICK_MARK = 0xca6cL;

    private Mark() {}

    /** Parses a mark from 1 to 4294967295, in hexadecimal or decimal. */
    static Long parse(String text) {
        long mark;
        if (text.matches("0[xX][0-9A-Fa-f]{1,8}")) {
            mark = Long.parseLong(text.substring(2), 16);
        } else if (text.matches("[0-9]{1,10}")) {
            mark = Long.parseLong(text);
        } else {
            throw new MalformedValue("'" + text + "' is not a firewall mark", "use a number such as 0x51000000");
        }
        if (mark == 0 || mark > Marks.MAX) {
            throw new MalformedValue(
                    "'" + text + "' is outside 1 to 0xffffffff",
                    "remove the setting, or use a number such as 0x51000000");
        }
        if ((mark & Marks.TAILSCALE_BITS) != 0) {
            throw new MalformedValue(
                    "'" + text + "' has some of the bits 8 to 23 set, which belong to Tailscale's rules"
                            + (mark == WG_QUICK_MARK ? " (wg-quick's default mark 0xca6c conflicts with them)" : ""),
                    "remove the setting, or use a number whose bits 8 to 23 are clear, such as 0x51000000");
        }
        return mark;
    }
}
