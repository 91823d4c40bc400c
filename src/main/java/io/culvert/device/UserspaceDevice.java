package io.culvert.device;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.process.Child;
import java.io.IOException;
import java.util.Optional;

/**
 * A WireGuard device in userspace, controlled over its UAPI socket. When the program exits, the interface disappears
 * with its addresses and routes; a restarted program creates an unconfigured one with the same name.
 */
final class UserspaceDevice extends ConfiguredDevice {

    private final String name;
    private final UapiSocket socket;
    private final Interfaces interfaces;
    private final Optional<Child> child;

    /** @param child the program, if it is supervised by us */
    UserspaceDevice(String name, UapiSocket socket, Interfaces interfaces, Optional<Child> child) {
        this.name = name;
        this.socket = socket;
        this.interfaces = interfaces;
        this.child = child;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Implementation implementation() {
        return Implementation.USERSPACE;
    }

    @Override
    public DeviceState read() {
        return exchange(UapiRequest.GET).state();
    }

    @Override
    void tell(DeviceChange change) {
        exchange(UapiRequest.set(change));
    }

    private UapiAnswer exchange(String request) {
        UapiAnswer answer;
        try {
            answer = socket.exchange(request);
        } catch (IOException e) {
            throw broken(e);
        }
        if (answer.errno() != 0) {
            throw refused(-answer.errno(), "");
        }
        return answer;
    }

    @Override
    public void remove() {
        try {
            if (child.isPresent()) {
                child.get().stop();
                socket.delete();
            } else {
                socket.deleteAndAwaitEnd();
            }
        } catch (IOException e) {
            throw broken(e);
        } finally {
            interfaces.delete(name);
        }
    }

    @Override
    public void close() {
        // Each request uses a connection of its own.
    }

    private ProblemException broken(IOException e) {
        return new ProblemException(Problem.failure(
                Place.machine(name),
                "the userspace WireGuard at " + socket.path() + " does not respond: " + e.getMessage(),
                "check whether its program is still running"));
    }
}
