// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.Port;
import java.net.InetAddress;
import java.util.Locale;

/** A statement of a rule; they are evaluated from the left, as long as they match. */
public sealed interface Statement {

    /** @param equal false: matches if the values differ */
    record Match(MatchField field, boolean equal, NftValue value) implements Statement {}

    /** A verdict, which ends the evaluation of the chain. */
    enum Verdict implements Statement {
        ACCEPT,
        DROP,
        RETURN;

        /** Returns the name in nft. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Counts the packets that reach it. */
    record Counter() implements Statement {}

    /** Continues in another chain of the table, and returns. */
    record Jump(String chain) implements Statement {

        public Jump {
            Table.requireIdentifier(chain);
        }
    }

    /**
     * Drops the packet and sends ICMP "administratively prohibited", of the packet's family. Unlike "no route",
     * that also ends the waiting of a connected UDP socket (Linux: {@code icmp_err_convert}), on which QUIC's fallback
     * depends.
     */
    record Reject() implements Statement {

        /** {@code NFT_REJECT_ICMPX_ADMIN_PROHIBITED} (include/uapi/linux/netfilter/nf_tables.h). */
        static final int ADMIN_PROHIBITED = 3;
    }

    /** Sets bits of the connection's mark, which all further packets of the connection have; the other bits stay. */
    record MarkConnection(long bits) implements Statement {

        public MarkConnection {
            if (bits <= 0 || bits > 0xffffffffL) {
                throw new IllegalArgumentException("a connection mark must be 1 to 0xffffffff");
            }
        }
    }

    /** Translates the source to the address of the output interface, with a random port. */
    record Masquerade() implements Statement {}

    /** Redirects to a port of this machine. */
    record Redirect(int port) implements Statement {

        public Redirect {
            Port.requireNumber(port);
        }
    }

    /** Translates the destination to an address of the same family; the port stays. */
    record SendTo(InetAddress address) implements Statement {}

    /** Clamps the maximum segment size of a TCP SYN to the MTU of the route, in both directions. */
    record ClampMss() implements Statement {}

    static Match is(MatchField field, NftValue value) {
        return new Match(field, true, value);
    }

    static Match isNot(MatchField field, NftValue value) {
        return new Match(field, false, value);
    }
}
