// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The exit status and the output of a program.
 *
 * @param status its exit status
 * @param out its standard output
 * @param err its standard error
 */
public record CommandResult(List<String> command, int status, String out, String err) {

    private static final Duration TIMEOUT = ScaledTimeout.of(Duration.ofSeconds(60));

    /** Runs a program and returns its result. */
    public static CommandResult of(List<String> command) {
        return of(command, "");
    }

    /** Runs a program with this standard input and returns its result. */
    public static CommandResult of(List<String> command, String input) {
        Path err = null;
        try {
            err = Files.createTempFile("lab", ".err");
            Path in = Files.writeString(Files.createTempFile("lab", ".in"), input);
            try {
                Process process = new ProcessBuilder(command)
                        .redirectInput(in.toFile())
                        .redirectError(err.toFile())
                        .start();
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                // Ends when every process that has the output open has ended, background processes included.
                Thread reader = Thread.ofPlatform()
                        .daemon()
                        .name("output of " + command.getFirst())
                        .start(() -> {
                            try {
                                process.getInputStream().transferTo(out);
                            } catch (IOException e) {
                                // The stream of a killed process may fail: the output has ended.
                            }
                        });
                if (!reader.join(TIMEOUT) || !process.waitFor(TIMEOUT)) {
                    process.descendants().forEach(ProcessHandle::destroyForcibly);
                    process.destroyForcibly();
                    throw new AssertionError("%s is still running after %s. Output:%n%s%s"
                            .formatted(command, TIMEOUT, text(Files.readAllBytes(err)), text(out.toByteArray())));
                }
                return new CommandResult(
                        command, process.exitValue(), text(out.toByteArray()), text(Files.readAllBytes(err)));
            } finally {
                Files.delete(in);
                Files.delete(err);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("running " + command, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /** Decodes UTF-8; invalid bytes become replacement characters. */
    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Returns its standard output; fails if the exit status is not 0. */
    public String outputOrFail() {
        if (status != 0) {
            throw new AssertionError("'%s' exited %d:%n%s%s".formatted(String.join(" ", command), status, err, out));
        }
        return out;
    }
}
