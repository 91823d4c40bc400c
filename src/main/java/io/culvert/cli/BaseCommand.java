// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.diagnostics.Problem;
import io.culvert.runtime.Environment;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * A command. Its options and arguments are fields, which picocli sets; {@code call} runs it and returns the exit status.
 */
@Command(versionProvider = Version.class)
abstract class BaseCommand implements Callable<Integer> {

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help message and exit.")
    boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Print version information and exit.")
    boolean version;

    @Spec
    private CommandSpec spec;

    /** Runs the command; what it throws is reported by {@link ErrorReporter}. */
    @Override
    public abstract Integer call() throws InterruptedException;

    /**
     * Completes what picocli has read from the annotations.
     *
     * @param arguments those after the name of this command
     */
    void complete(CommandLine line, List<String> arguments) {}

    /** Returns the environment that the command line was built for. */
    Environment environment() {
        return ((Commands.Culvert) spec.root().userObject()).environment.environment(err());
    }

    /** Returns all arguments of the program. */
    List<String> programArguments() {
        return spec.commandLine().getParseResult().originalArgs();
    }

    void print(String result) {
        spec.commandLine().getOut().println(result);
    }

    void flush() {
        spec.commandLine().getOut().flush();
    }

    /** Prints problems that do not stop the command on standard error. */
    void printProblems(List<Problem> problems) {
        new ProblemReport(Terminal.supportsColour(System.getenv()))
                .lines(problems)
                .forEach(err()::println);
        err().flush();
    }

    PrintWriter err() {
        return spec.commandLine().getErr();
    }

    ParameterException usageError(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
