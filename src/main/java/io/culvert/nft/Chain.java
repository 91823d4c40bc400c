// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * An nftables chain: rules that are evaluated in order.
 *
 * @param base the hook of a base chain; empty for a regular chain, which only a {@link Statement.Jump} enters
 */
public record Chain(String name, Optional<Base> base, List<NftRule> rules) {

    /**
     * @param priority order among the chains of a hook, lower first (include/uapi/linux/netfilter_ipv4.h: raw is -300,
     *     mangle -150, destination NAT -100, filter 0, source NAT 100)
     */
    public record Base(Type type, Hook hook, int priority, Policy policy) {}

    public enum Type {
        FILTER,
        NAT;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public enum Hook {
        PREROUTING,
        INPUT,
        FORWARD,
        OUTPUT,
        POSTROUTING;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** The verdict for a packet that no rule decided on. */
    public enum Policy {
        ACCEPT,
        DROP;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public Chain {
        Table.requireIdentifier(name);
        rules = List.copyOf(rules);
    }

    public static Chain base(String name, Type type, Hook hook, int priority, Policy policy, List<NftRule> rules) {
        return new Chain(name, Optional.of(new Base(type, hook, priority, policy)), rules);
    }

    public static Chain filter(String name, Hook hook, int priority, Policy policy, List<NftRule> rules) {
        return base(name, Type.FILTER, hook, priority, policy, rules);
    }

    public static Chain regular(String name, List<NftRule> rules) {
        return new Chain(name, Optional.empty(), rules);
    }
}
