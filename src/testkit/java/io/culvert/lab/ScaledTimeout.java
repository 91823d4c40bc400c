// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.time.Duration;

/** Timeouts of tests, multiplied by the property {@code lab.timeout.factor} on an emulated processor. */
final class ScaledTimeout {

    private static final int FACTOR = Integer.getInteger("lab.timeout.factor", 1);

    private ScaledTimeout() {}

    static Duration of(Duration timeout) {
        return timeout.multipliedBy(FACTOR);
    }
}
