// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.linux.OwnProcess;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The command line of this program, to start it again with other arguments.
 *
 * @param words the words before the arguments: the program itself, or Java, its options and the main class
 */
public record OwnProgram(List<String> words) {

    public OwnProgram {
        words = List.copyOf(words);
    }

    /** @param arguments the number of arguments of this run */
    public static OwnProgram ofThisProcess(int arguments) throws IOException {
        List<byte[]> line = OwnProcess.commandLine();
        List<String> words = new ArrayList<>(line.subList(0, Math.max(1, line.size() - arguments)).stream()
                .map(word -> new String(word, StandardCharsets.UTF_8))
                .toList());
        ProcessHandle.current().info().command().ifPresent(program -> words.set(0, program));
        return new OwnProgram(words);
    }

    /** Returns the complete command line with these arguments. */
    public List<String> command(List<String> arguments) {
        return Stream.concat(words.stream(), arguments.stream()).toList();
    }

    /**
     * Starts a background process that outlives this one. It can report to this process through a pipe, and inherits
     * nothing else.
     *
     * @param environment the complete environment
     * @param words the file for its standard error, which holds its log
     */
    public static Process startInBackground(List<String> command, Map<String, String> environment, Path words)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(new File("/"))
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .redirectError(words.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        return builder.start();
    }
}
