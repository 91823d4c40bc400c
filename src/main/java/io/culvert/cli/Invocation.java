// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.runtime.Environment;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.ParseResult;

/**
 * One invocation of a command: its arguments, its environment, and its output.
 *
 * @param parsed the parsed arguments
 */
record Invocation(ParseResult parsed, Environment environment) {

    static final String JSON = "--json";
    static final String KILL_SWITCH = "--kill-switch";

    /** The action of a command; it returns the exit status. */
    @FunctionalInterface
    interface Action {
        int run(Invocation invocation) throws InterruptedException;
    }

    boolean has(String option) {
        return parsed.hasMatchedOption(option);
    }

    /** Returns the first positional argument. */
    Optional<String> firstArgument() {
        return Optional.ofNullable(parsed.matchedPositionalValue(0, null));
    }

    /** Returns the value of an option. */
    Optional<String> option(String option) {
        return Optional.ofNullable(parsed.matchedOptionValue(option, null));
    }

    /** Returns the numeric value of an option; 0 without it. */
    int intOption(String option) {
        return parsed.matchedOptionValue(option, 0);
    }

    /** Returns all positional arguments. */
    List<String> arguments() {
        return parsed.matchedPositionalValue(0, List.of());
    }

    /** Returns the positional argument at an index, from 0; it must be present. */
    String argument(int index) {
        return parsed.<String>matchedPositionalValue(index, "");
    }

    /** Prints a result as JSON if that is requested, else as text. */
    <T> void print(T result, Function<T, String> text, Function<T, ?> json) {
        print(String.valueOf((has(JSON) ? json : text).apply(result)));
    }

    void print(String result) {
        parsed.commandSpec().commandLine().getOut().println(result);
    }
}
