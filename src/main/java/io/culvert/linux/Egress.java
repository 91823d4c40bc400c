package io.culvert.linux;

import java.util.Optional;

/**
 * How the packets of a socket leave: what tells them apart, and the only link they may use.
 *
 * @param mark {@code SO_MARK}, 0 to 4294967295; 0 sets none, as a socket is born with it
 * @param device {@code SO_BINDTODEVICE}: nothing leaves by another link, and nothing leaves when this one is missing
 */
public record Egress(long mark, Optional<String> device) {

    /** As any program's: no mark, any link. */
    public static final Egress ANY = new Egress(0, Optional.empty());

    public Egress {
        if (mark < 0 || mark > 0xffffffffL) {
            throw new IllegalArgumentException("a mark of " + mark + " is outside 0 to 4294967295");
        }
    }

    public static Egress marked(long mark) {
        return new Egress(mark, Optional.empty());
    }

    public Egress through(String link) {
        return new Egress(mark, Optional.of(link));
    }
}
