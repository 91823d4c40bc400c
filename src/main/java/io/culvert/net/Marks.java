// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.util.ArrayList;
import java.util.List;

/**
 * The firewall marks of Culvert's own sockets. All 32 bits are compared.
 *
 * @param tunnel mark of the tunnel's outer sockets and of bootstrap DNS queries, which leave through the uplink
 * @param stub mark of the DNS stub's own queries, which go through the tunnel like unmarked packets, but are not redirected to
 *     the stub again
 */
public record Marks(long tunnel, long stub) {

    /** The mark of tailscaled's own sockets, within {@link #TAILSCALE_MASK} (tailscale: util/linuxfw). */
    public static final long TAILSCALE = 0x80000;

    public static final long TAILSCALE_MASK = 0xff0000;

    /** The mark that tailscaled's nftables rules set on packets from the tailnet that are to be masqueraded. */
    public static final long TAILSCALE_FORWARDED = 0x40000;

    /** Bit of a connection's mark: its first packet came from an uplink. It is not one of Tailscale's bits. */
    public static final long INBOUND = 0x20000000L;

    /** Bit of a connection's mark: it may have begun before the kill switch was active. */
    public static final long BEFORE_KILL_SWITCH = 0x40000000L;

    public static final Marks DEFAULT = new Marks(0x51000000L, 0x52000000L);

    /** The largest mark. */
    public static final long MAX = 0xffffffffL;

    /**
     * The bits that Tailscale's rules use: the masks 0xff0000 (ip rule) and, in nftables mode on little-endian machines, 0xff00. A
     * mark with one of these bits would be changed or matched by them.
     */
    public static final long TAILSCALE_BITS = 0x00ffff00L;

    public Marks {
        requireUsable(tunnel);
        requireUsable(stub);
        if (tunnel == stub) {
            throw new IllegalArgumentException("both marks are " + text(tunnel));
        }
    }

    /**
     * Returns the marks with which the kill switch allows packets to leave.
     *
     * @param tailscale whether Tailscale's mark counts
     */
    public List<MaskedMark> exempt(boolean tailscale) {
        List<MaskedMark> exempt = new ArrayList<>(List.of(new MaskedMark(tunnel, MAX), new MaskedMark(stub, MAX)));
        if (tailscale) {
            exempt.add(new MaskedMark(TAILSCALE, TAILSCALE_MASK));
        }
        return exempt;
    }

    /** Returns the marks for a tunnel mark that the user chose. */
    public static Marks withTunnel(long tunnel) {
        return new Marks(tunnel, tunnel == DEFAULT.stub ? DEFAULT.tunnel : DEFAULT.stub);
    }

    private static void requireUsable(long mark) {
        if (mark <= 0 || mark > MAX) {
            throw new IllegalArgumentException(text(mark) + " is not a mark: 1 to 0xffffffff");
        }
        if ((mark & TAILSCALE_BITS) != 0) {
            throw new IllegalArgumentException("the mark " + text(mark)
                    + " has bits of 0x00ffff00, which Tailscale uses: use one such as 0x51000000");
        }
    }

    private static String text(long mark) {
        return "0x" + Long.toHexString(mark);
    }
}
