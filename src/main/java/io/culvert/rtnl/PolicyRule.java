// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * A routing policy rule of Culvert, in one family.
 *
 * @param preference always explicit: the kernel's own choice would be before Tailscale's rules
 */
public record PolicyRule(Family family, int preference, Selector selector, Action action) {

    /** Returns whether it only blocks packets. */
    boolean isBlocking() {
        return action instanceof Action.Unreachable;
    }

    /**
     * The largest port of a rule: the kernel does not accept 65535 ({@code fib_rule_port_range_valid} in
     * include/net/fib_rules.h).
     */
    public static final int MAX_PORT = 65534;

    /**
     * The packets that a rule matches; an absent condition matches everything.
     *
     * @param inverted {@code not}: the rule matches packets that do not fulfil the conditions
     * @param inputLink {@code iif}; {@code lo} stands for packets of local processes
     * @param outputLink {@code oif}: the link to which a socket is bound, or for which a route is looked up
     * @param sourcePort 1 to {@link #MAX_PORT}
     * @param destinationPort 1 to {@link #MAX_PORT}
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

        /** Normalizes as the kernel does: without bits after a prefix, and a whole family is no condition. */
        public Selector {
            from = from.map(Prefix::network).filter(prefix -> !prefix.isDefault());
            to = to.map(Prefix::network).filter(prefix -> !prefix.isDefault());
            requireMatchable(sourcePort);
            requireMatchable(destinationPort);
        }

        public static final Selector ANY = new Fields().selector();

        private static void requireMatchable(OptionalInt port) {
            if (port.isPresent() && (port.getAsInt() < 1 || port.getAsInt() > MAX_PORT)) {
                throw new IllegalArgumentException("a rule cannot match port " + port.getAsInt());
            }
        }

        public Selector not() {
            return with(it -> it.inverted = true);
        }

        public Selector from(Prefix prefix) {
            return with(it -> it.from = Optional.of(prefix));
        }

        public Selector to(Prefix prefix) {
            return with(it -> it.to = Optional.of(prefix));
        }

        public Selector inputLink(String name) {
            return with(it -> it.inputLink = Optional.of(name));
        }

        public Selector outputLink(String name) {
            return with(it -> it.outputLink = Optional.of(name));
        }

        public Selector mark(Mark value) {
            return with(it -> it.mark = Optional.of(value));
        }

        public Selector transport(Transport value) {
            return with(it -> it.transport = Optional.of(value));
        }

        public Selector sourcePort(int port) {
            return with(it -> it.sourcePort = OptionalInt.of(port));
        }

        public Selector destinationPort(int port) {
            return with(it -> it.destinationPort = OptionalInt.of(port));
        }

        /** Returns the selector with other values in some fields. */
        Selector with(Consumer<Fields> change) {
            Fields fields = new Fields();
            fields.inverted = inverted;
            fields.from = from;
            fields.to = to;
            fields.inputLink = inputLink;
            fields.outputLink = outputLink;
            fields.mark = mark;
            fields.transport = transport;
            fields.sourcePort = sourcePort;
            fields.destinationPort = destinationPort;
            change.accept(fields);
            return fields.selector();
        }

        /** The fields of a selector by name. */
        static final class Fields {
            boolean inverted;
            Optional<Prefix> from = Optional.empty();
            Optional<Prefix> to = Optional.empty();
            Optional<String> inputLink = Optional.empty();
            Optional<String> outputLink = Optional.empty();
            Optional<Mark> mark = Optional.empty();
            Optional<Transport> transport = Optional.empty();
            OptionalInt sourcePort = OptionalInt.empty();
            OptionalInt destinationPort = OptionalInt.empty();

            private Selector selector() {
                return new Selector(
                        inverted, from, to, inputLink, outputLink, mark, transport, sourcePort, destinationPort);
            }
        }
    }

    /**
     * A firewall mark and its mask.
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

    /** The action of a rule. */
    public sealed interface Action {

        /**
         * Looks up the destination in a table.
         *
         * @param suppressPrefixLength routes of this length or shorter are ignored; empty: none
         */
        record Lookup(long table, OptionalInt suppressPrefixLength) implements Action {

            public static Lookup of(long table) {
                return new Lookup(table, OptionalInt.empty());
            }
        }

        /** Rejects the packet as unreachable. */
        record Unreachable() implements Action {}

        /**
         * Continues with the rules from a later preference. If no rule has exactly this preference, the kernel ignores
         * the goto.
         *
         * @param preference greater than that of the rule
         */
        record Goto(int preference) implements Action {}
    }
}
