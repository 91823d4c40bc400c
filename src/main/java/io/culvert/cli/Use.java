package io.culvert.cli;

import io.culvert.run.Surroundings;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.ParseResult;

/**
 * One invocation of a command: its arguments, its environment, and its output.
 *
 * @param given the parsed arguments
 */
record Use(ParseResult given, Surroundings around) {

    static final String JSON = "--json";
    static final String KILL_SWITCH = "--kill-switch";

    /** The action of a command; it returns the exit status. */
    @FunctionalInterface
    interface Action {
        int of(Use use) throws InterruptedException;
    }

    boolean has(String option) {
        return given.hasMatchedOption(option);
    }

    /** Returns the first positional argument. */
    Optional<String> file() {
        return Optional.ofNullable(given.matchedPositionalValue(0, null));
    }

    /** Returns the value of an option. */
    Optional<String> text(String option) {
        return Optional.ofNullable(given.matchedOptionValue(option, null));
    }

    /** Returns the numeric value of an option; 0 without it. */
    int number(String option) {
        return given.matchedOptionValue(option, 0);
    }

    /** Returns all positional arguments. */
    List<String> words() {
        return given.matchedPositionalValue(0, List.of());
    }

    /** Returns the positional argument at an index, from 0; it must be present. */
    String argument(int index) {
        return given.<String>matchedPositionalValue(index, "");
    }

    /** Prints a result as JSON if that is requested, else as text. */
    <T> void print(T answer, Function<T, String> text, Function<T, ?> json) {
        print(String.valueOf((has(JSON) ? json : text).apply(answer)));
    }

    void print(String answer) {
        given.commandSpec().commandLine().getOut().println(answer);
    }
}
