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
 * This program, to be run once more with other arguments.
 *
 * @param words what stands before the arguments: the program itself, or Java, its options and the main class
 */
public record OwnProgram(List<String> words) {

    public OwnProgram {
        words = List.copyOf(words);
    }

    /** @param arguments how many this run was given */
    public static OwnProgram of(int arguments) throws IOException {
        List<byte[]> line = OwnProcess.commandLine();
        List<String> words = new ArrayList<>(line.subList(0, Math.max(1, line.size() - arguments)).stream()
                .map(word -> new String(word, StandardCharsets.UTF_8))
                .toList());
        ProcessHandle.current().info().command().ifPresent(program -> words.set(0, program));
        return new OwnProgram(words);
    }

    /** The whole command with these arguments. */
    public List<String> command(List<String> arguments) {
        return Stream.concat(words.stream(), arguments.stream()).toList();
    }

    /**
     * Starts a run that goes on when this one ends. It has a pipe to tell us something by, and nothing else of ours.
     *
     * @param environment all of it
     * @param words where it writes what is for people
     */
    public static Process startLasting(List<String> command, Map<String, String> environment, Path words)
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
