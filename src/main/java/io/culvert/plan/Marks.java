package io.culvert.plan;

/**
 * The firewall marks of our own sockets, told apart by all 32 bits.
 *
 * @param tunnel of the tunnel's outer sockets and of those that ask for names before it is up; they leave by the uplink
 * @param stub of the sockets that the DNS stub asks with; they go through the tunnel like everything unmarked, and their
 *     questions are not redirected to the stub again
 */
public record Marks(long tunnel, long stub) {

    /** What tailscaled marks its own sockets with, under {@link #TAILSCALE_MASK} (tailscale: util/linuxfw). */
    public static final long TAILSCALE = 0x80000;

    public static final long TAILSCALE_MASK = 0xff0000;

    /** What its nftables rules mark packets with that come from the tailnet and are to be translated. */
    static final long TAILSCALE_FORWARDED = 0x40000;

    /** Bit of a connection's mark: it began with a packet that came by an uplink. Outside of Tailscale's bits. */
    static final long INBOUND = 0x20000000L;

    /** Bit of a connection's mark: it may have begun before there was anything to see it. */
    static final long EARLIER = 0x40000000L;

    public static final Marks DEFAULT = new Marks(0x51000000L, 0x52000000L);

    /**
     * Tailscale's rules use the masks 0xff0000 (ip rule) and, in nftables mode on little-endian machines, 0xff00: a mark with
     * one of these bits would be mangled or mistaken by them.
     */
    private static final long NOT_OURS = 0x00ffff00L;

    public Marks {
        requireUsable(tunnel);
        requireUsable(stub);
        if (tunnel == stub) {
            throw new IllegalArgumentException("both marks are " + text(tunnel));
        }
    }

    /**
     * Whether packets that bear this mark may leave, as far as the mark decides it.
     *
     * @param tailscale whether Tailscale's may
     */
    public boolean mayLeave(long mark, boolean tailscale) {
        return mark == tunnel || mark == stub || (tailscale && (mark & TAILSCALE_MASK) == TAILSCALE);
    }

    /** Our marks where the user chose the tunnel's. */
    public static Marks withTunnel(long tunnel) {
        return new Marks(tunnel, tunnel == DEFAULT.stub ? DEFAULT.tunnel : DEFAULT.stub);
    }

    private static void requireUsable(long mark) {
        if (mark <= 0 || mark > 0xffffffffL) {
            throw new IllegalArgumentException(text(mark) + " is not a mark: 1 to 0xffffffff");
        }
        if ((mark & NOT_OURS) != 0) {
            throw new IllegalArgumentException("the mark " + text(mark)
                    + " has bits of 0x00ffff00, which Tailscale uses: take one such as 0x51000000");
        }
    }

    private static String text(long mark) {
        return "0x" + Long.toHexString(mark);
    }
}
