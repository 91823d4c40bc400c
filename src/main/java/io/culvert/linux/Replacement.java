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
 * Another program in place of this one: the same process, so that its terminal, its parent, and whoever sends it signals or
 * waits for it see no difference. The namespaces of the thread that calls are the program's (execve(2): the other threads
 * end). Everything that a Java program had changed for itself is as it was before.
 *
 * @param arguments the program's name or path first
 * @param environment {@code NAME=value} each
 */
public record Replacement(List<byte[]> arguments, List<byte[]> environment) {

    /** What a shell says of a program that is there and cannot be run, and of one that is not there. */
    public static final int NOT_EXECUTABLE = 126;

    public static final int NOT_FOUND = 127;

    /** include/uapi/asm-generic/signal-defs.h. */
    private static final int SIG_SETMASK = 2;

    /** {@code sizeof(sigset_t)} of the C library. */
    private static final int SIGNAL_SET = 128;

    /** include/uapi/asm-generic/fcntl.h. */
    private static final int F_SETFD = 2;

    private static final int FD_CLOEXEC = 1;

    private static final String USUAL_PATH = "/usr/local/bin:/usr/bin:/bin";

    public Replacement {
        arguments = List.copyOf(arguments);
        environment = List.copyOf(environment);
    }

    /** The name of the program as a person would read it. */
    public String name() {
        return new String(arguments.getFirst(), StandardCharsets.UTF_8);
    }

    /** With other values of these variables, {@code NAME=value} each. */
    public Replacement with(List<String> variables) {
        List<byte[]> all = new ArrayList<>(environment);
        for (String variable : variables) {
            String name = variable.substring(0, variable.indexOf('=') + 1);
            all.removeIf(one -> text(one).startsWith(name));
            all.add(variable.getBytes(StandardCharsets.UTF_8));
        }
        return new Replacement(arguments, all);
    }

    /** Whether there is such a program at all, for whoever may run it. */
    public boolean isThere() {
        return candidates().stream().anyMatch(Replacement::exists);
    }

    private static boolean exists(byte[] path) {
        try {
            return Files.exists(Path.of(new String(path, StandardCharsets.UTF_8)));
        } catch (InvalidPathException _) {
            return true; // Java cannot name it in this locale; the kernel will see.
        }
    }

    /**
     * Becomes the program, as this user where one is given. Returns only where that does not work.
     *
     * @return {@link #NOT_FOUND} or {@link #NOT_EXECUTABLE}
     */
    public int become(Optional<Account> user) throws IOException {
        return become(user, Set.of());
    }

    /**
     * The same, for a program that gets these descriptors too.
     *
     * @param handedOn beside standard input, output and error
     */
    public int become(Optional<Account> user, Set<Integer> handedOn) throws IOException {
        limitOpenFiles();
        user.ifPresent(Account::become);
        closeInProgram(handedOn);
        // Java blocks SIGQUIT in most of its threads, which would be inherited.
        Libc.pthread_sigmask(SIG_SETMASK, new byte[SIGNAL_SET], null);
        int status = NOT_FOUND;
        for (byte[] path : candidates()) {
            int errno = execute(path, arguments);
            if (errno == Errno.ENOEXEC) {
                // As execvp(3): what the kernel does not know is a shell's script.
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

    private int execute(byte[] path, List<byte[]> words) {
        try {
            Libc.execve(terminated(path), addresses(words), addresses(environment));
            return 0;
        } catch (LastErrorException e) {
            return e.getErrorCode();
        }
    }

    /** Bytes all the way: a path may hold what no encoding knows. */
    private List<byte[]> candidates() {
        byte[] name = arguments.getFirst();
        if (text(name).indexOf('/') >= 0 || name.length == 0) {
            return List.of(name);
        }
        String path = environment.stream()
                .map(Replacement::text)
                .filter(variable -> variable.startsWith("PATH="))
                .map(variable -> variable.substring("PATH=".length()))
                .findFirst()
                .orElse(USUAL_PATH);
        return Stream.of(path.split(":", -1))
                .map(directory -> (directory.isEmpty() ? "." : directory) + "/" + text(name))
                .map(candidate -> candidate.getBytes(StandardCharsets.ISO_8859_1))
                .toList();
    }

    /** One character a byte, there and back. */
    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** In memory that nobody moves or frees: it is needed until this program is no more. */
    private static long[] addresses(List<byte[]> words) {
        long[] addresses = new long[words.size() + 1];
        for (int i = 0; i < words.size(); i++) {
            addresses[i] = Libc.strdup(terminated(words.get(i)));
        }
        return addresses;
    }

    private static byte[] terminated(byte[] text) {
        return Arrays.copyOf(text, text.length + 1);
    }

    /** Standard input, output and error are handed on; nothing else, as a socket would lead out of the namespace. */
    private static void closeInProgram(Set<Integer> handedOn) throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            open.map(path -> Integer.parseInt(path.getFileName().toString()))
                    .filter(number -> number > 2 && !handedOn.contains(number))
                    .forEach(number -> {
                        try {
                            Libc.fcntl(number, F_SETFD, FD_CLOEXEC);
                        } catch (LastErrorException _) {
                            // The one by which they were listed is closed by now.
                        }
                    });
        }
    }

    /** Java takes as many as it may have; a program that was not asked gets what our parent has, which is what we got. */
    private static void limitOpenFiles() {
        ProcessHandle.current()
                .parent()
                .map(parent -> Path.of("/proc", Long.toString(parent.pid()), "limits"))
                .flatMap(OpenFiles::read)
                .ifPresent(OpenFiles::set);
    }
}
