package io.culvert.network;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A routing policy rule of ours, in one family.
 *
 * @param preference always explicit: the kernel's own choice lands before Tailscale's rules
 */
public record Rule(Family family, int preference, Selector selector, Action action) {

    /** Whether it only ever stops packets. */
    boolean closes() {
        return action instanceof Action.Unreachable;
    }

    /**
     * The largest port that a rule can be for: the kernel takes none behind it ({@code fib_rule_port_range_valid} in
     * include/net/fib_rules.h).
     */
    public static final int LARGEST_PORT = 65534;

    /**
     * Which packets a rule is for; all that is absent matches everything.
     *
     * @param inverted {@code not}: the rule is for packets that do not match
     * @param inputLink {@code iif}; {@code lo} means packets made on this machine
     * @param outputLink {@code oif}: the link that a socket is bound to, or a route is to be set for
     * @param sourcePort 1 to {@link #LARGEST_PORT}
     * @param destinationPort 1 to {@link #LARGEST_PORT}
     */
    public record Selector(
            boolean inverted,
            Optional<Prefix> from,
            Optional<Prefix> to,
            Optional<String> inputLink,
            Optional<String> outputLink,
            Optional<Mark> mark,
            Optional<Transport> transport,
            OptionalInt sourcePort,
            OptionalInt destinationPort) {

        /** As the kernel keeps them: without bits behind a prefix, and a whole family is no condition. */
        public Selector {
            from = from.map(Prefix::network).filter(prefix -> !prefix.isDefault());
            to = to.map(Prefix::network).filter(prefix -> !prefix.isDefault());
            check(sourcePort);
            check(destinationPort);
        }

        public static final Selector ANY = new Selector(
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                OptionalInt.empty(),
                OptionalInt.empty());

        private static void check(OptionalInt port) {
            if (port.isPresent() && (port.getAsInt() < 1 || port.getAsInt() > LARGEST_PORT)) {
                throw new IllegalArgumentException("a rule cannot be for port " + port.getAsInt());
            }
        }

        public Selector not() {
            return new Selector(true, from, to, inputLink, outputLink, mark, transport, sourcePort, destinationPort);
        }

        public Selector from(Prefix prefix) {
            return new Selector(
                    inverted,
                    Optional.of(prefix),
                    to,
                    inputLink,
                    outputLink,
                    mark,
                    transport,
                    sourcePort,
                    destinationPort);
        }

        public Selector to(Prefix prefix) {
            return new Selector(
                    inverted,
                    from,
                    Optional.of(prefix),
                    inputLink,
                    outputLink,
                    mark,
                    transport,
                    sourcePort,
                    destinationPort);
        }

        public Selector inputLink(String name) {
            return new Selector(
                    inverted, from, to, Optional.of(name), outputLink, mark, transport, sourcePort, destinationPort);
        }

        public Selector outputLink(String name) {
            return new Selector(
                    inverted, from, to, inputLink, Optional.of(name), mark, transport, sourcePort, destinationPort);
        }

        public Selector mark(Mark value) {
            return new Selector(
                    inverted,
                    from,
                    to,
                    inputLink,
                    outputLink,
                    Optional.of(value),
                    transport,
                    sourcePort,
                    destinationPort);
        }

        public Selector transport(Transport value) {
            return new Selector(
                    inverted, from, to, inputLink, outputLink, mark, Optional.of(value), sourcePort, destinationPort);
        }

        public Selector sourcePort(int port) {
            return new Selector(
                    inverted, from, to, inputLink, outputLink, mark, transport, OptionalInt.of(port), destinationPort);
        }

        public Selector destinationPort(int port) {
            return new Selector(
                    inverted, from, to, inputLink, outputLink, mark, transport, sourcePort, OptionalInt.of(port));
        }
    }

    /**
     * A firewall mark and the bits of it that count.
     *
     * @param value 0 to 4294967295
     * @param mask 0 to 4294967295
     */
    public record Mark(long value, long mask) {

        public static final long ALL_BITS = 0xffffffffL;

        public static Mark exactly(long value) {
            return new Mark(value, ALL_BITS);
        }
    }

    /** What a rule does. */
    public sealed interface Action {

        /**
         * Looks the packet up in a table.
         *
         * @param suppressPrefixLength routes of this length or shorter do not count; empty: all count
         */
        record Lookup(long table, OptionalInt suppressPrefixLength) implements Action {

            public static Lookup of(long table) {
                return new Lookup(table, OptionalInt.empty());
            }
        }

        /** Answers at once that there is no way. */
        record Unreachable() implements Action {}

        /**
         * Goes on with the rules of a later preference. Where there is none of just that, the kernel passes the rule over.
         *
         * @param preference behind the rule's own
         */
        record Goto(int preference) implements Action {}
    }
}
