// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

/** The level of the log on standard error; each level includes the ones before it. */
public enum LogLevel {
    ERROR,
    WARN,
    INFO,
    DEBUG;

    @Override
    public String toString() {
        return EnumWord.word(this);
    }
}
