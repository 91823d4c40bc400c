package io.culvert.cli;

import io.culvert.run.Surroundings;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.ParseResult;

/**
 * One use of a command: what was given to it, the world it works in, and where its answer goes.
 *
 * @param given the arguments, parsed
 */
record Use(ParseResult given, Surroundings around) {

    static final String JSON = "--json";
    static final String KILL_SWITCH = "--kill-switch";

    /** What a command does; what it returns is the exit status. */
    @FunctionalInterface
    interface Action {
        int of(Use use) throws InterruptedException;
    }

    boolean has(String option) {
        return given.hasMatchedOption(option);
    }

    /** The argument without an option's name. */
    Optional<String> file() {
        return Optional.ofNullable(given.matchedPositionalValue(0, null));
    }

    /** The value of an option. */
    Optional<String> text(String option) {
        return Optional.ofNullable(given.matchedOptionValue(option, null));
    }

    /** The value of an option that is a number; 0 without it. */
    int number(String option) {
        return given.matchedOptionValue(option, 0);
    }

    /** The arguments without an option's name, where there may be several. */
    List<String> words() {
        return given.matchedPositionalValue(0, List.of());
    }

    /** The argument at a place, from 0, that has to be there. */
    String argument(int index) {
        return given.<String>matchedPositionalValue(index, "");
    }

    /** Prints one of two forms of an answer, as asked for. */
    <T> void print(T answer, Function<T, String> text, Function<T, ?> json) {
        print(String.valueOf((has(JSON) ? json : text).apply(answer)));
    }

    void print(String answer) {
        given.commandSpec().commandLine().getOut().println(answer);
    }
}
