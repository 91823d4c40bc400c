// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

/** What became of the packets of one cell of the leak matrix. */
public enum LeakVerdict {
    /** None left the node. */
    BLOCKED('-'),
    /** Some arrived at their destination with the provider's address, and none left otherwise. */
    TUNNEL('t'),
    /** At least one left by the uplink as it was. */
    LEAKED('L'),
    /** There is no such packet, or a documented limit of a layer: see the notes of the table. */
    NOT_APPLICABLE('/');

    private final char symbol;

    LeakVerdict(char symbol) {
        this.symbol = symbol;
    }

    public char symbol() {
        return symbol;
    }
}
