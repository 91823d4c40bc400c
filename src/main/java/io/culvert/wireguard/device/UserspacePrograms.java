// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.process.Child;
import io.culvert.process.ChildEvent;
import io.culvert.process.ChildSpec;
import io.culvert.process.ProcessLauncher;
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
    private static final Duration START_TIMEOUT = Duration.ofSeconds(10);

    /** The timeout of an exit: a program whose interface is removed exits automatically at once. */
    private static final Duration EXIT_TIMEOUT = Duration.ofSeconds(2);

    private final UserspaceProgram program;
    private final Optional<Supervisor> supervisor;
    private final DeviceLinks links;
    private final Map<String, Child> children = new HashMap<>();

    /** @param supervisor the supervisor of the programs; without one they continue when Culvert exits */
    UserspacePrograms(UserspaceProgram program, Optional<Supervisor> supervisor, DeviceLinks links) {
        this.program = program;
        this.supervisor = supervisor;
        this.links = links;
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
     * Stops the supervised program of this name, if any, which removes its interface. The program may have lost its
     * interface and be restarting, or it may hang.
     */
    synchronized void stop(String name) {
        Optional.ofNullable(children.remove(name)).ifPresent(Child::stop);
    }

    /**
     * Creates a device, if there is no interface with this name.
     *
     * @param listenPort the port that will be configured; 0 for any
     * @throws ProblemException if a requirement is missing, or the program does not start
     */
    synchronized UserspaceDevice start(String name, int listenPort) {
        List<Problem> missingRequirements = program.missingRequirements();
        if (!missingRequirements.isEmpty()) {
            throw new ProblemException(missingRequirements);
        }
        ChildSpec spec = program.childSpec(program.find().orElseThrow(), name, listenPort);
        UapiSocket socket = socket(name);
        try {
            removeStaleSocket(name, socket);
            if (supervisor.isPresent()) {
                startSupervised(name, supervisor.get(), spec, socket);
            } else {
                startDetached(name, spec, socket);
            }
        } catch (IOException e) {
            throw failure(name, "the userspace WireGuard does not start: " + e.getMessage());
        }
        links.setAlias(name);
        return device(name);
    }

    /** Removes the socket of a program that was killed. */
    private static void removeStaleSocket(String name, UapiSocket socket) throws IOException {
        if (!socket.awaitNotListening(EXIT_TIMEOUT)) {
            throw new ProblemException(Problem.failure(
                    Location.machine(name),
                    "a userspace WireGuard with this name is running in another network namespace and uses "
                            + socket.path(),
                    "stop it, or give each a /run/wireguard directory of its own; for 'culvert tunnel up', a"
                            + " file with another name also works"));
        }
        socket.delete();
    }

    private void startSupervised(String name, Supervisor supervisor, ChildSpec spec, UapiSocket socket)
            throws IOException {
        Child child = supervisor.start(spec);
        awaitListening(socket, child.exit(), child::stop, () -> {
            ChildEvent.Exited exited = child.exit().join();
            return exited.lastOutput().isEmpty() ? status(exited.status()) : String.join(" / ", exited.lastOutput());
        });
        children.put(name, child);
    }

    /** Writes its output to a file, deleted once it listens: a pipe without a reader would end the program. */
    private void startDetached(String name, ChildSpec spec, UapiSocket socket) throws IOException {
        Path output = program.sockets().resolve(name + ".log");
        Process process = ProcessLauncher.start(
                UserspaceProgram.detachedProcess(spec).redirectOutput(output.toFile()), spec.privileges());
        try {
            awaitListening(
                    socket,
                    process.onExit(),
                    process::destroyForcibly,
                    () -> Files.readString(output)
                            .lines()
                            .reduce((_, last) -> last)
                            .orElseGet(() -> status(process.exitValue())));
        } finally {
            Files.deleteIfExists(output);
        }
    }

    private interface Explanation {
        String read() throws IOException;
    }

    /**
     * Waits until a program listens. A program that does not is stopped, and its socket is removed.
     *
     * @param explanation returns the reason of an unexpected exit
     */
    private static void awaitListening(
            UapiSocket socket, CompletableFuture<?> end, Runnable stop, Explanation explanation) throws IOException {
        boolean listening = false;
        boolean ended = false;
        try {
            listening = socket.awaitListening(end, START_TIMEOUT);
            ended = end.isDone();
        } finally {
            if (!listening) {
                stop.run();
                socket.delete();
            }
        }
        if (!listening) {
            throw new IOException(ended ? explanation.read() : "it does not listen on its socket (timeout)");
        }
    }

    private static String status(int status) {
        return "exited with status " + status;
    }

    private UapiSocket socket(String name) {
        return new UapiSocket(program.sockets(), name, program.timeout());
    }

    private UserspaceDevice device(String name) {
        return new UserspaceDevice(name, socket(name), links, Optional.ofNullable(children.get(name)));
    }

    private static ProblemException failure(String name, String message) {
        return new ProblemException(Problem.failure(Location.machine(name), message, ""));
    }
}
