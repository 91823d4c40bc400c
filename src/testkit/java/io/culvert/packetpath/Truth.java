// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

/** What is known about a proposition on one packet. */
public enum Truth {
    NO,
    MAYBE,
    YES;

    /** The logic of three values (Kleene). */
    public static final Logic<Truth> LOGIC = new ThreeValued();

    public static Truth of(boolean value) {
        return value ? YES : NO;
    }

    private static final class ThreeValued implements Logic<Truth> {

        @Override
        public Truth yes() {
            return YES;
        }

        @Override
        public Truth no() {
            return NO;
        }

        @Override
        public Truth and(Truth a, Truth b) {
            return a.compareTo(b) < 0 ? a : b;
        }

        @Override
        public Truth or(Truth a, Truth b) {
            return a.compareTo(b) > 0 ? a : b;
        }

        @Override
        public Truth not(Truth a) {
            return switch (a) {
                case NO -> YES;
                case MAYBE -> MAYBE;
                case YES -> NO;
            };
        }

        @Override
        public Truth unknown() {
            return MAYBE;
        }

        @Override
        public boolean isNo(Truth a) {
            return a == NO;
        }

        @Override
        public boolean isYes(Truth a) {
            return a == YES;
        }
    }
}
