// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Replaces this program by another (execve(2)) in the same process, so that its terminal, its parent, and processes
 * that signal it or wait for it see no difference. The program gets the namespaces of the calling thread (the other
 * threads end). What the JVM changed for itself (signal mask, limits) is restored.
 *
 * @param arguments the program's name or path first
 * @param environment each as {@code NAME=value}
 */
public record ProcessReplacement(List<byte[]> arguments, List<byte[]> environment) {

    /** The exit statuses of a shell for a program that exists but cannot be run, and for one that does not exist. */
    public static final int NOT_EXECUTABLE = 126;

    public static final int NOT_FOUND = 127;

    /** include/uapi/asm-generic/signal-defs.h. */
    private static final int SIG_SETMASK = 2;

    /** {@code sizeof(sigset_t)} of the C library. */
    private static final int SIGNAL_SET = 128;

    /** include/uapi/asm-generic/fcntl.h. */
    private static final int F_SETFD = 2;

    private static final int FD_CLOEXEC = 1;

    private static final String DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

    public ProcessReplacement {
        arguments = List.copyOf(arguments);
        environment = List.copyOf(environment);
    }

    /** Returns the name of the program for messages. */
    public String name() {
        return new String(arguments.getFirst(), StandardCharsets.UTF_8);
    }

    /** Returns a copy with these variables set, each {@code NAME=value}. */
    public ProcessReplacement with(List<String> variables) {
        List<byte[]> all = new ArrayList<>(environment);
        for (String variable : variables) {
            String name = variable.substring(0, variable.indexOf('=') + 1);
            all.removeIf(one -> text(one).startsWith(name));
            all.add(variable.getBytes(StandardCharsets.UTF_8));
        }
        return new ProcessReplacement(arguments, all);
    }

    /** Returns whether the program exists, whether or not this user may run it. */
    public boolean programExists() {
        return candidates().stream().anyMatch(ProcessReplacement::exists);
    }

    private static boolean exists(byte[] path) {
        try {
            return Files.exists(Path.of(new String(path, StandardCharsets.UTF_8)));
        } catch (InvalidPathException _) {
            return true; // Java cannot represent it in this locale; the kernel decides.
        }
    }

    /**
     * Becomes the program, as this user if given. Returns only on failure.
     *
     * @return the exit status to use: {@link #NOT_FOUND} or {@link #NOT_EXECUTABLE}
     */
    public int become(Optional<Account> user) throws IOException {
        return become(user, Set.of());
    }

    /**
     * Becomes the program, which inherits these descriptors too. Returns only on failure.
     *
     * @param inheritedDescriptors in addition to standard input, output and error
     */
    public int become(Optional<Account> user, Set<Integer> inheritedDescriptors) throws IOException {
        restoreOpenFileLimit();
        user.ifPresent(Account::switchTo);
        setCloseOnExecExcept(inheritedDescriptors);
        // The JVM blocks SIGQUIT in most of its threads, and the program would inherit that.
        Libc.pthread_sigmask(SIG_SETMASK, new byte[SIGNAL_SET], null);
        int status = NOT_FOUND;
        for (byte[] path : candidates()) {
            int errno = execute(path, arguments);
            if (errno == Errno.ENOEXEC) {
                // As execvp(3): a format unknown to the kernel is run as a shell script.
                List<byte[]> script =
                        new ArrayList<>(List.of(terminated("/bin/sh".getBytes(StandardCharsets.UTF_8)), path));
                script.addAll(arguments.subList(1, arguments.size()));
                execute("/bin/sh".getBytes(StandardCharsets.UTF_8), script);
            }
            if (errno != Errno.ENOENT && errno != Errno.ENOTDIR) {
                status = NOT_EXECUTABLE;
            }
        }
        return status;
    }

    private int execute(byte[] path, List<byte[]> arguments) {
        try {
            Libc.execve(terminated(path), addresses(arguments), addresses(environment));
            return 0;
        } catch (LastErrorException e) {
            return e.getErrorCode();
        }
    }

    /** Works on bytes, as a path need not be valid in any encoding. */
    private List<byte[]> candidates() {
        byte[] name = arguments.getFirst();
        if (text(name).indexOf('/') >= 0 || name.length == 0) {
            return List.of(name);
        }
        String path = environment.stream()
                .map(ProcessReplacement::text)
                .filter(variable -> variable.startsWith("PATH="))
                .map(variable -> variable.substring("PATH=".length()))
                .findFirst()
                .orElse(DEFAULT_PATH);
        return Stream.of(path.split(":", -1))
                .map(directory -> (directory.isEmpty() ? "." : directory) + "/" + text(name))
                .map(candidate -> candidate.getBytes(StandardCharsets.ISO_8859_1))
                .toList();
    }

    /** Maps each byte to one character, which is reversible. */
    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** Copies to memory that is never moved or freed: it is needed until execve replaces this program. */
    private static long[] addresses(List<byte[]> arguments) {
        long[] addresses = new long[arguments.size() + 1];
        for (int i = 0; i < arguments.size(); i++) {
            addresses[i] = Libc.strdup(terminated(arguments.get(i)));
        }
        return addresses;
    }

    private static byte[] terminated(byte[] text) {
        return Arrays.copyOf(text, text.length + 1);
    }

    /** Only standard input, output and error are inherited: a socket would give access outside of the namespace. */
    private static void setCloseOnExecExcept(Set<Integer> inheritedDescriptors) throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            open.map(path -> Integer.parseInt(path.getFileName().toString()))
                    .filter(number -> number > 2 && !inheritedDescriptors.contains(number))
                    .forEach(number -> {
                        try {
                            Libc.fcntl(number, F_SETFD, FD_CLOEXEC);
                        } catch (LastErrorException _) {
                            // The descriptor of this directory listing is closed by now.
                        }
                    });
        }
    }

    /**
     * Undoes the JVM's raise of the limit: the program gets the limit of the parent, which is what this process
     * inherited.
     */
    private static void restoreOpenFileLimit() {
        ProcessHandle.current()
                .parent()
                .map(parent -> Path.of("/proc", Long.toString(parent.pid()), "limits"))
                .flatMap(OpenFiles::read)
                .ifPresent(OpenFiles::applyToThisProcess);
    }
}
