// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

/**
 * The firewall marks that are equal in some bits.
 *
 * @param mask the bits that are compared
 */
public record MaskedMark(long mark, long mask) {

    public MaskedMark {
        if ((mark & ~mask) != 0) {
            throw new IllegalArgumentException("mark " + mark + " has bits outside of its mask " + mask);
        }
    }

    public boolean matches(long other) {
        return (other & mask) == mark;
    }
}
