package io.culvert.nft;

import java.net.InetAddress;
import java.util.Locale;

/** A part of a rule: tried from the left, as long as it matches. */
public sealed interface Statement {

    /** @param equal false: matches when the values differ */
    record Match(Field field, boolean equal, Value value) implements Statement {}

    /** What ends the rule's chain. */
    enum Verdict implements Statement {
        ACCEPT,
        DROP,
        RETURN;

        /** nft's own word. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Counts the packets that came this far. */
    record Counter() implements Statement {}

    /** Goes on in another chain of the table, and comes back. */
    record Jump(String chain) implements Statement {

        public Jump {
            Table.requireIdentifier(chain);
        }
    }

    /**
     * Drops and tells the sender by ICMP, of the packet's family, that it is prohibited: unlike "no route", that ends a
     * connected UDP socket's waiting too (Linux: {@code icmp_err_convert}), which QUIC falls back by.
     */
    record Reject() implements Statement {

        /** {@code NFT_REJECT_ICMPX_ADMIN_PROHIBITED} (include/uapi/linux/netfilter/nf_tables.h). */
        static final int ADMIN_PROHIBITED = 3;
    }

    /** Sets these bits of the connection's mark, which all further packets of the connection have; the others stay. */
    record MarkConnection(long bits) implements Statement {

        public MarkConnection {
            if (bits <= 0 || bits > 0xffffffffL) {
                throw new IllegalArgumentException("a mark has 32 bits, of which at least one is to be set");
            }
        }
    }

    /** Replaces the source by the leaving link's address, with a random port. */
    record Masquerade() implements Statement {}

    /** Sends to this machine instead, to a port of it. */
    record Redirect(int port) implements Statement {

        public Redirect {
            if (port < 1 || port > 65535) {
                throw new IllegalArgumentException("port " + port + " is outside 1 to 65535");
            }
        }
    }

    /** Sends to this address instead, of its own family; the port stays. */
    record SendTo(InetAddress address) implements Statement {}

    /** Lowers the segment size that a TCP SYN asks for to what the route takes, in either direction. */
    record ClampMss() implements Statement {}

    static Match is(Field field, Value value) {
        return new Match(field, true, value);
    }

    static Match isNot(Field field, Value value) {
        return new Match(field, false, value);
    }
}
