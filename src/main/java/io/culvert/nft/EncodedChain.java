// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.List;
import java.util.Optional;

/**
 * A chain in the kernel's form, as it is sent or listed.
 *
 * @param hook empty for a regular chain
 * @param flags {@code NFT_CHAIN_*}, without the one that says whether there is a hook
 */
record EncodedChain(String name, Optional<Hook> hook, int flags, List<EncodedRule> rules) {

    /**
     * What makes it a base chain.
     *
     * @param type such as {@code filter}
     * @param number {@code NF_INET_*} (include/uapi/linux/netfilter.h), {@code NF_ARP_*} (netfilter_arp.h)
     * @param policy {@code NF_ACCEPT} or {@code NF_DROP}
     */
    record Hook(String type, int number, int priority, int policy) {}

    EncodedChain {
        rules = List.copyOf(rules);
    }

    /** Returns whether the kernel's chain, without its rules, is as this one. */
    boolean isSameAs(EncodedChain listed) {
        return hook.equals(listed.hook) && flags == listed.flags;
    }
}
