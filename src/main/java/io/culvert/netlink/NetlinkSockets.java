// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import java.util.List;

/** Opens netlink sockets in the network namespace of the calling thread: those of the kernel, or of a simulated one. */
public interface NetlinkSockets {

    /** The kernel's. */
    NetlinkSockets KERNEL = new NetlinkSockets() {
        @Override
        public NetlinkSocket route() {
            return KernelNetlinkSocket.route();
        }

        @Override
        public NetlinkSocket routeEvents(List<Integer> groups) {
            return KernelNetlinkSocket.routeEvents(groups);
        }

        @Override
        public NetlinkSocket netfilter() {
            return KernelNetlinkSocket.netfilter();
        }

        @Override
        public NetlinkSocket rulesetEvents() {
            return KernelNetlinkSocket.rulesetEvents();
        }

        @Override
        public NetlinkSocket generic() {
            return KernelNetlinkSocket.generic();
        }
    };

    /** Opens a socket for links, addresses, routes and rules. */
    NetlinkSocket route();

    /**
     * Opens a socket for notifications about links, addresses, routes and rules.
     *
     * @param groups {@code RTNLGRP_*} (include/uapi/linux/rtnetlink.h)
     */
    NetlinkSocket routeEvents(List<Integer> groups);

    /** Opens a socket for nftables. */
    NetlinkSocket netfilter();

    /** Opens a socket for notifications of changes of nftables rulesets, including those of this process. */
    NetlinkSocket rulesetEvents();

    /** Opens a socket for families that are looked up by name, see {@link GenericNetlink}. */
    NetlinkSocket generic();
}
