package io.culvert.network;

import io.culvert.netlink.NetlinkMessage;
import java.util.Optional;

/**
 * One request to the kernel.
 *
 * @param text what it does, in the syntax of iproute2
 * @param inverse takes it back; empty where nothing can
 */
record Change(String text, NetlinkMessage request, Optional<NetlinkMessage> inverse) {

    private static final int CREATE = NetlinkMessage.NLM_F_CREATE | NetlinkMessage.NLM_F_EXCL;
    private static final int REPLACE = NetlinkMessage.NLM_F_CREATE | NetlinkMessage.NLM_F_REPLACE;

    /** Adds an object, never over an existing one. In rtnetlink the type for deletion is the next number. */
    static Change add(String text, NetlinkMessage object) {
        // To find a second equal rule the kernel compares each new one with all others, two thirds of the time that
        // ten thousand rules take. We have compared already.
        int flags = object.type() == RtNetlink.RTM_NEWRULE ? NetlinkMessage.NLM_F_CREATE : CREATE;
        return new Change(text, as(object.type(), flags, object), Optional.of(as(object.type() + 1, 0, object)));
    }

    /** Puts an object into the place of a listed one, in one step. */
    static Change replace(String text, NetlinkMessage object, NetlinkMessage listed) {
        return new Change(text, as(object.type(), REPLACE, object), Optional.of(as(listed.type(), REPLACE, listed)));
    }

    /** Deletes an object by the very message that listed it, so that it is this one and no other. */
    static Change delete(String text, NetlinkMessage listed) {
        return new Change(text, as(listed.type() + 1, 0, listed), Optional.of(as(listed.type(), CREATE, listed)));
    }

    private static NetlinkMessage as(int type, int flags, NetlinkMessage message) {
        return new NetlinkMessage(type, flags, message.payload());
    }
}
