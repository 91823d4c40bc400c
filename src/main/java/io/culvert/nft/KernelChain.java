// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.List;
import java.util.Optional;

/**
 * A chain of any program's table, as listed by the kernel.
 *
 * @param hook empty for a regular chain
 */
public record KernelChain(String name, Optional<Hook> hook, List<TableRule> rules) {

    /**
     * What makes it a base chain.
     *
     * @param type {@code filter}, {@code nat} or {@code route}
     * @param number {@code NF_INET_*} (include/uapi/linux/netfilter.h); in a netdev table {@code NF_NETDEV_*}
     * @param priority chains with a lower one are evaluated first
     * @param isAccepting whether packets that no rule decides about are accepted
     * @param links the names of the links that a netdev or ingress chain is attached to; one that ends in {@code *} stands for
     *     all that begin so
     */
    public record Hook(String type, int number, int priority, boolean isAccepting, List<String> links) {

        public Hook {
            links = List.copyOf(links);
        }
    }

    public KernelChain {
        rules = List.copyOf(rules);
    }
}
