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
 * How a program ended.
 *
 * @param status its exit status
 * @param out its standard output
 * @param err its standard error
 */
public record Outcome(List<String> command, int status, String out, String err) {

    private static final Duration DEADLINE = Patience.of(Duration.ofSeconds(60));

    /** Runs a program to its end. */
    public static Outcome of(List<String> command) {
        return of(command, "");
    }

    /** Runs a program that reads the input to its end. */
    public static Outcome of(List<String> command, String input) {
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
                // It ends when every process that has it does, so what was left in the background has ended too.
                Thread reader = Thread.ofPlatform()
                        .daemon()
                        .name("output of " + command.getFirst())
                        .start(() -> {
                            try {
                                process.getInputStream().transferTo(out);
                            } catch (IOException e) {
                                // The stream of a killed process may break off: that is its end.
                            }
                        });
                if (!reader.join(DEADLINE) || !process.waitFor(DEADLINE)) {
                    process.descendants().forEach(ProcessHandle::destroyForcibly);
                    process.destroyForcibly();
                    throw new AssertionError("%s is still running after %s. It said:%n%s%s"
                            .formatted(command, DEADLINE, text(Files.readAllBytes(err)), text(out.toByteArray())));
                }
                return new Outcome(
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

    /** Whatever it is; what is no text becomes question marks. */
    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Its standard output, when it succeeded. */
    public String orFail() {
        if (status != 0) {
            throw new AssertionError("'%s' exited %d:%n%s%s".formatted(String.join(" ", command), status, err, out));
        }
        return out;
    }
}
