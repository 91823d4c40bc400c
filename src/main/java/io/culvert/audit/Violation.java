// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import java.util.List;

/**
 * Something that the promise does not list.
 *
 * @param layers the layers that were judged: both together, or one alone
 * @param sentence such as {@code may leave by eth0: TCP from …}
 * @param path the decisions on the way of the packet, in order; empty if there is no example
 */
public record Violation(JudgedLayers layers, String sentence, List<String> path) {

    /** Which layers decide. */
    public enum JudgedLayers {
        BOTH("both layers"),
        ROUTING("the routing rules alone"),
        NFTABLES("nftables alone");

        private final String text;

        JudgedLayers(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    public Violation {
        path = List.copyOf(path);
    }
}
