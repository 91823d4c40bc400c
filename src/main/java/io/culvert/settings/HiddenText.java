// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

/** A secret text, which is never printed. */
abstract sealed class HiddenText permits Password, HttpToken {

    private final String text;

    HiddenText(String text) {
        this.text = text;
    }

    /** Returns the secret itself. */
    public final String text() {
        return text;
    }

    @Override
    public final boolean equals(Object other) {
        return other instanceof HiddenText hidden && hidden.getClass() == getClass() && hidden.text.equals(text);
    }

    @Override
    public final int hashCode() {
        return 0;
    }

    /** Returns a placeholder, never the secret. */
    @Override
    public final String toString() {
        return "(hidden)";
    }
}
