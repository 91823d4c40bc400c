package io.culvert.lab;

import java.time.Duration;

/** How long to wait for what should come soon: longer, by the property {@code lab.patience}, on an emulated processor. */
final class Patience {

    private static final int FACTOR = Integer.getInteger("lab.patience", 1);

    private Patience() {}

    static Duration of(Duration usual) {
        return usual.multipliedBy(FACTOR);
    }
}
