package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** This process, as the kernel knows it: bytes, where Java has made characters of them. */
public final class OwnProcess {

    private static final Path SELF = Path.of("/proc/self");

    private OwnProcess() {}

    /** The words of its command line, what runs Java included; without the zeroes at their ends. */
    public static List<byte[]> commandLine() throws IOException {
        return words(Files.readAllBytes(SELF.resolve("cmdline")));
    }

    /** The variables it was started with, {@code NAME=value} each. */
    public static List<byte[]> environment() throws IOException {
        return words(Files.readAllBytes(SELF.resolve("environ")));
    }

    /** Leaves the terminal and the session of whoever started it: what is typed there ends it no more. */
    public static void leaveSession() {
        try {
            Libc.setsid();
        } catch (LastErrorException e) {
            if (e.getErrorCode() != Errno.EPERM) { // It leads a session already.
                throw SystemCallException.of("setsid", e);
            }
        }
    }

    /**
     * Goes to the working directory anew: where something was mounted on the way to it, the old one is what is hidden now.
     * One that has no name any more stays.
     */
    public static void returnToWorkingDirectory() {
        try {
            Path here =
                    Files.readSymbolicLink(SELF.resolveSibling("thread-self").resolve("cwd"));
            Libc.chdir((here + "\0").getBytes(StandardCharsets.UTF_8));
        } catch (IOException | LastErrorException _) {
            // It was removed, or we may not enter it by its name.
        }
    }

    static List<byte[]> words(byte[] bytes) {
        List<byte[]> words = new ArrayList<>();
        ByteArrayOutputStream word = new ByteArrayOutputStream();
        for (byte one : bytes) {
            if (one == 0) {
                words.add(word.toByteArray());
                word.reset();
            } else {
                word.write(one);
            }
        }
        return words;
    }
}
