// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.netlink.NetlinkMessage;
import java.util.Optional;

/**
 * One change of the kernel's network, with its inverse.
 *
 * @param text the change in the syntax of iproute2
 * @param inverse reverts it; empty if that is impossible
 */
record KernelRequest(String text, NetlinkMessage request, Optional<NetlinkMessage> inverse) {

    private static final int CREATE = NetlinkMessage.NLM_F_CREATE | NetlinkMessage.NLM_F_EXCL;
    private static final int REPLACE = NetlinkMessage.NLM_F_CREATE | NetlinkMessage.NLM_F_REPLACE;

    /**
     * Returns the change that adds an object, without replacing an existing one. In rtnetlink the type for deletion is
     * the next number.
     */
    static KernelRequest add(String text, NetlinkMessage object) {
        // Without NLM_F_EXCL for rules: to find a duplicate, the kernel would compare each new rule with all others,
        // which is two thirds of the time for ten thousand rules. They have been compared already.
        int flags = object.type() == RtNetlink.RTM_NEWRULE ? NetlinkMessage.NLM_F_CREATE : CREATE;
        return new KernelRequest(
                text, withType(object.type(), flags, object), Optional.of(withType(object.type() + 1, 0, object)));
    }

    /** Returns the change that replaces a listed object in one step. */
    static KernelRequest replace(String text, NetlinkMessage object, NetlinkMessage listed) {
        return new KernelRequest(
                text, withType(object.type(), REPLACE, object), Optional.of(withType(listed.type(), REPLACE, listed)));
    }

    /** Returns the change that deletes an object by the message that listed it, so that it is this one and no other. */
    static KernelRequest delete(String text, NetlinkMessage listed) {
        return new KernelRequest(
                text, withType(listed.type() + 1, 0, listed), Optional.of(withType(listed.type(), CREATE, listed)));
    }

    private static NetlinkMessage withType(int type, int flags, NetlinkMessage message) {
        return new NetlinkMessage(type, flags, message.payload());
    }
}
