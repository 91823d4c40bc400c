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

/** Userspace devices: the programs behind them are started here, or found running. */
final class UserspacePrograms {

    /** A program that does not listen by then never will; it takes some milliseconds. */
    private static final Duration START = Duration.ofSeconds(10);

    /** A program whose interface was taken away ends by itself, at once. */
    private static final Duration END = Duration.ofSeconds(2);

    private final UserspaceProgram program;
    private final Optional<Supervisor> supervisor;
    private final Interfaces interfaces;
    private final Map<String, Child> children = new HashMap<>();

    /** @param supervisor of the programs; without one they go on when we end */
    UserspacePrograms(UserspaceProgram program, Optional<Supervisor> supervisor, Interfaces interfaces) {
        this.program = program;
        this.supervisor = supervisor;
        this.interfaces = interfaces;
    }

    /** The device of this name, whoever started it, where a program listens for it. */
    synchronized Optional<UserspaceDevice> find(String name) {
        try {
            return socket(name).isListening() ? Optional.of(device(name)) : Optional.empty();
        } catch (IOException e) {
            throw failure(name, "its socket cannot be looked at: " + e.getMessage());
        }
    }

    /**
     * Ends the program of this name that we supervise, where there is one, and with it its interface. It may have lost that, and
     * be on its way back, or it may hang.
     */
    synchronized void end(String name) {
        Optional.ofNullable(children.remove(name)).ifPresent(Child::stop);
    }

    /**
     * A new device, where there is no interface of this name.
     *
     * @param listenPort that it will be told to use; 0 for any
     * @throws ProblemException when the machine lacks something, or the program does not start
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
            throw new ProblemException(
                    Problem.failure(
                            Place.machine(name),
                            "a userspace WireGuard of this name runs already, in another network namespace, and has "
                                    + socket.path(),
                            "end it, or give the two a directory /run/wireguard each; for 'culvert tunnel up', a file of another name does, too"));
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

    /** What it says goes to a file without a name once it listens: a pipe that nobody reads any more would be its end. */
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
     * Waits until a program listens. One that does not is ended, and nothing is left of it.
     *
     * @param why it has ended by itself
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
            throw new IOException(ended ? why.read() : "it does not listen");
        }
    }

    private static String status(int status) {
        return "it ended with status " + status;
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
