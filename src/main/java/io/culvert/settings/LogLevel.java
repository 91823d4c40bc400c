package io.culvert.settings;

/** How much is told on standard error; each level includes the ones before it. */
public enum LogLevel {
    ERROR,
    WARN,
    INFO,
    DEBUG;

    @Override
    public String toString() {
        return Words.word(this);
    }
}
