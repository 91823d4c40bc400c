// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.util.Locale;

/** A transport protocol with ports; the numbers are IANA's (include/uapi/linux/in.h). */
public enum Transport {
    TCP(6),
    UDP(17);

    private final int number;

    Transport(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }

    /** Returns {@code tcp} or {@code udp}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
