// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

/** Thrown for a text that does not have the form of an address, prefix or endpoint. Its message says which form is needed. */
public final class MalformedText extends IllegalArgumentException {

    private final String fault;
    private final String correction;

    /**
     * @param fault what is wrong, as a sentence for the user
     * @param correction what to write instead, as an imperative
     */
    MalformedText(String fault, String correction) {
        super(fault + ": " + correction);
        this.fault = fault;
        this.correction = correction;
    }

    /** Returns what is wrong, without the correction. */
    public String fault() {
        return fault;
    }

    public String correction() {
        return correction;
    }
}
