// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.diagnostics.DidYouMean;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Prints failures on standard error, and maps them to exit statuses: 1 failed, 2 invalid input, 3 the machine lacks a
 * requirement.
 */
final class ErrorReporter {

    private ErrorReporter() {}

    /** Handles the failure of a command. */
    static int handleFailure(Exception failure, CommandLine command, ParseResult arguments) {
        if (failure instanceof ProblemException problemException) {
            print(problemException.problems(), command);
            return problemException.exitStatus();
        }
        print(List.of(unexpectedError(failure, command.getCommandSpec().qualifiedName())), command);
        return 1;
    }

    /** Handles a command line that cannot be parsed. */
    static int handleUsageError(ParameterException failure, String... arguments) {
        CommandLine command = failure.getCommandLine();
        String name = command.getCommandSpec().qualifiedName();
        String help = "see '" + name + " --help'";
        if (failure instanceof UnmatchedArgumentException unknown
                && !unknown.getUnmatched().isEmpty()) {
            String argument = unknown.getUnmatched().getFirst();
            print(List.of(unknown(argument, command, help)), command);
        } else {
            print(
                    List.of(Problem.input(new Location.CommandLine(name), String.valueOf(failure.getMessage()), help)),
                    command);
        }
        return 2;
    }

    /** Returns the problem for an unexpected exception, including a bug of Culvert. */
    static Problem unexpectedError(Throwable failure, String command) {
        Throwable cause =
                failure instanceof UncheckedIOException && failure.getCause() != null ? failure.getCause() : failure;
        String message = cause.getMessage() == null ? "unexpected error" : cause.getMessage();
        boolean expected = cause instanceof IOException || isOwnException(cause);
        return Problem.failure(
                new Location.CommandLine(command),
                message,
                expected ? "" : "report this as a bug in Culvert: " + origin(cause));
    }

    private static boolean isOwnException(Throwable cause) {
        return cause.getClass().getPackageName().startsWith("io.culvert");
    }

    private static String origin(Throwable cause) {
        return cause.getClass().getSimpleName()
                + Arrays.stream(cause.getStackTrace())
                        .filter(frame -> frame.getClassName().startsWith("io.culvert."))
                        .findFirst()
                        .map(frame -> " at " + frame.getFileName() + ":" + frame.getLineNumber())
                        .orElse("");
    }

    private static Problem unknown(String argument, CommandLine command, String help) {
        boolean option = argument.startsWith("-");
        List<String> candidates = new ArrayList<>(
                option
                        ? command.getCommandSpec().optionsMap().keySet()
                        : command.getSubcommands().keySet());
        String error =
                option || !candidates.isEmpty() ? "unknown " + (option ? "option" : "command") : "unexpected argument";
        return Problem.input(
                new Location.CommandLine(command.getCommandSpec().qualifiedName() + " " + argument),
                error,
                DidYouMean.nearest(argument, candidates)
                        .map(suggestion -> "did you mean " + suggestion + "?")
                        .orElse(help));
    }

    private static void print(List<Problem> problems, CommandLine command) {
        PrintWriter err = command.getErr();
        new ProblemReport(Terminal.supportsColour(System.getenv()))
                .lines(problems)
                .forEach(err::println);
        err.flush();
    }
}
