// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * This process: its command line and environment as raw bytes, which Java decodes to characters, its session, and its signals.
 */
public final class OwnProcess {

    /** {@code SIGHUP} and {@code SIG_DFL} (include/uapi/asm-generic/signal.h, signal-defs.h). */
    private static final int SIGHUP = 1;

    private static final long SIG_DFL = 0;

    private static final Path SELF = Path.of("/proc/self");

    private OwnProcess() {}

    /** Returns the arguments of its command line, including those of the JVM, without their terminating zeroes. */
    public static List<byte[]> commandLine() throws IOException {
        return split(Files.readAllBytes(SELF.resolve("cmdline")));
    }

    /** Returns the variables that it was started with, as {@code NAME=value}. */
    public static List<byte[]> environment() throws IOException {
        return split(Files.readAllBytes(SELF.resolve("environ")));
    }

    /** Leaves the terminal and the session of its parent: keys pressed there no longer send it signals. */
    public static void leaveSession() {
        try {
            Libc.setsid();
        } catch (LastErrorException e) {
            if (e.getErrorCode() != Errno.EPERM) { // It is a session leader already.
                throw SystemCallException.of("setsid", e);
            }
        }
    }

    /**
     * Gives SIGHUP its default action, also where it was ignored when the program was started, as by nohup: Java leaves a
     * signal that is ignored alone.
     */
    public static void unignoreHangups() {
        Libc.signal(SIGHUP, SIG_DFL);
    }

    /**
     * Enters the working directory again by its path: if something was mounted over part of it, the old one is hidden.
     * A directory that was deleted stays the working directory.
     */
    public static void reenterWorkingDirectory() {
        try {
            Path here =
                    Files.readSymbolicLink(SELF.resolveSibling("thread-self").resolve("cwd"));
            Libc.chdir((here + "\0").getBytes(StandardCharsets.UTF_8));
        } catch (IOException | LastErrorException _) {
            // It was deleted, or may not be entered by its path.
        }
    }

    static List<byte[]> split(byte[] bytes) {
        List<byte[]> words = new ArrayList<>();
        ByteArrayOutputStream word = new ByteArrayOutputStream();
        for (byte value : bytes) {
            if (value == 0) {
                words.add(word.toByteArray());
                word.reset();
            } else {
                word.write(value);
            }
        }
        return words;
    }
}
