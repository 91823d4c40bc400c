// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

/**
 * A decision on the path of packets.
 *
 * @param where such as {@code output} or {@code route}
 * @param what the rule, route or policy that decides
 * @param effect what it does with them
 * @param packets those that it is about
 * @param <B> a proposition
 */
public record Step<B>(String where, String what, Effect effect, B packets) {

    /** What a decision does with packets. */
    public enum Effect {
        ACCEPT,
        DROP,
        ROUTE
    }
}
