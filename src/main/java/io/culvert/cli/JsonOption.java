// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import java.util.function.Function;
import picocli.CommandLine.Option;

/** The option {@code --json}. */
final class JsonOption {

    @Option(names = "--json", description = "Print JSON.")
    private boolean given;

    boolean isGiven() {
        return given;
    }

    /** Returns a result as JSON if that is requested, else as text. */
    <T> String text(T result, Function<T, String> text, Function<T, ?> json) {
        return String.valueOf((given ? json : text).apply(result));
    }
}
