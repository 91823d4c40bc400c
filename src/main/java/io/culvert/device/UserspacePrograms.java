package io.culvert.device;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.process.Child;
import io.culvert.process.ChildEvent;
import io.culvert.process.ChildSpec;
import io.culvert.process.Launch;
import io.culvert.process.Supervisor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Starts and finds the programs of userspace devices. */
final class UserspacePrograms {

    /** The timeout of a start, which usually takes some milliseconds. */
    private static final Duration START = Duration.ofSeconds(10);

    /** The timeout of an exit: a program whose interface is removed exits automatically at once. */
    private static final Duration END = Duration.ofSeconds(2);

    private final UserspaceProgram program;
    private final Optional<Supervisor> supervisor;
    private final Interfaces interfaces;
    private final Map<String, Child> children = new HashMap<>();

    /** @param supervisor the supervisor of the programs; without one they continue when Culvert exits */
    UserspacePrograms(UserspaceProgram program, Optional<Supervisor> supervisor, Interfaces interfaces) {
        this.program = program;
        this.supervisor = supervisor;
        this.interfaces = interfaces;
    }

    /** Returns the device with this name, whichever process started it, if a program listens for it. */
    synchronized Optional<UserspaceDevice> find(String name) {
        try {
            return socket(name).isListening() ? Optional.of(device(name)) : Optional.empty();
        } catch (IOException e) {
            throw failure(name, "its UAPI socket cannot be checked: " + e.getMessage());
        }
    }

    /**
     * Ends our supervised program of this name, if any, and with it its interface. It may have lost that and
     * be restarting, or it may hang.
     */
    synchronized void end(String name) {
        Optional.ofNullable(children.remove(name)).ifPresent(Child::stop);
    }

    /**
     * Creates a device, if there is no interface with this name.
     *
     * @param listenPort the port that will be configured; 0 for any
     * @throws ProblemException if a requirement is missing, or the program does not start
     */
    synchronized UserspaceDevice start(String name, int listenPort) {
        List<Problem> missing = program.missing();
        if (!missing.isEmpty()) {
            throw new ProblemException(missing);
        }
        ChildSpec spec = program.supervised(program.find().orElseThrow(), name, listenPort);
        UapiSocket socket = socket(name);
        try {
            clear(name, socket);
            if (supervisor.isPresent()) {
                supervise(name, supervisor.get(), spec, socket);
            } else {
                leave(name, spec, socket);
            }
        } catch (IOException e) {
            throw failure(name, "the userspace WireGuard does not start: " + e.getMessage());
        }
        interfaces.mark(name);
        return device(name);
    }

    /** Removes the socket of a program that was killed. */
    private static void clear(String name, UapiSocket socket) throws IOException {
        if (!socket.awaitSilence(END)) {
            throw new ProblemException(Problem.failure(
                    Place.machine(name),
                    "a userspace WireGuard with this name is running in another network namespace and uses "
                            + socket.path(),
                    "stop it, or give each a /run/wireguard directory of its own; for 'culvert tunnel up', a"
                            + " file with another name also works"));
        }
        socket.delete();
    }

    private void supervise(String name, Supervisor by, ChildSpec spec, UapiSocket socket) throws IOException {
        Child child = by.start(spec);
        await(socket, child.end(), child::stop, () -> {
            ChildEvent.Ended ended = child.end().join();
            return ended.lastWords().isEmpty() ? status(ended.status()) : String.join(" / ", ended.lastWords());
        });
        children.put(name, child);
    }

    /** Writes its output to a file, deleted once it listens: a pipe without a reader would end the program. */
    private void leave(String name, ChildSpec spec, UapiSocket socket) throws IOException {
        Path words = program.sockets().resolve(name + ".log");
        Process process =
                Launch.start(UserspaceProgram.lasting(spec).redirectOutput(words.toFile()), spec.privileges());
        try {
            await(
                    socket,
                    process.onExit(),
                    process::destroyForcibly,
                    () -> Files.readString(words)
                            .lines()
                            .reduce((_, last) -> last)
                            .orElseGet(() -> status(process.exitValue())));
        } finally {
            Files.deleteIfExists(words);
        }
    }

    private interface Explanation {
        String read() throws IOException;
    }

    /**
     * Waits until a program listens. One that does not is ended, and its socket is removed.
     *
     * @param why returns the reason of an unexpected exit
     */
    private static void await(UapiSocket socket, CompletableFuture<?> end, Runnable stop, Explanation why)
            throws IOException {
        boolean listening = false;
        boolean ended = false;
        try {
            listening = socket.awaitListening(end, START);
            ended = end.isDone();
        } finally {
            if (!listening) {
                stop.run();
                socket.delete();
            }
        }
        if (!listening) {
            throw new IOException(ended ? why.read() : "it does not listen on its socket (timeout)");
        }
    }

    private static String status(int status) {
        return "exited with status " + status;
    }

    private UapiSocket socket(String name) {
        return new UapiSocket(program.sockets(), name, program.patience());
    }

    private UserspaceDevice device(String name) {
        return new UserspaceDevice(name, socket(name), interfaces, Optional.ofNullable(children.get(name)));
    }

    private static ProblemException failure(String name, String what) {
        return new ProblemException(Problem.failure(Place.machine(name), what, ""));
    }
}
