// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.process.Child;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Optional;

/**
 * A WireGuard device in userspace, controlled over its UAPI socket. When the program exits, the interface disappears
 * with its addresses and routes; a restarted program creates an unconfigured one with the same name.
 */
final class UserspaceDevice extends ConfiguredDevice {

    private final String name;
    private final UapiSocket socket;
    private final DeviceLinks links;
    private final Optional<Child> child;

    /** @param child the program, if it is supervised by this process */
    UserspaceDevice(String name, UapiSocket socket, DeviceLinks links, Optional<Child> child) {
        this.name = name;
        this.socket = socket;
        this.links = links;
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
    void apply(DeviceChange change) {
        exchange(UapiRequest.set(change));
    }

    private UapiResponse exchange(String request) {
        UapiResponse response;
        try {
            response = socket.exchange(request);
        } catch (IOException e) {
            throw notResponding(e);
        }
        if (response.errno() != 0) {
            throw refused(-response.errno(), "");
        }
        return response;
    }

    @Override
    public void checkResponds(Duration timeout) throws IOException {
        try {
            new UapiSocket(socket.directory(), name, timeout).exchange(UapiRequest.GET);
        } catch (SocketTimeoutException e) {
            throw new IOException("no response at " + socket.path() + " within " + timeout.toSeconds() + " s", e);
        } catch (IOException _) {
            // A program that has exited is restarted by its supervisor.
        }
    }

    @Override
    public void kill() {
        child.ifPresent(Child::kill);
    }

    @Override
    public void remove() {
        try {
            if (child.isPresent()) {
                child.get().stop();
                socket.delete();
            } else {
                // It exits without its interface, too.
                socket.deleteAndAwaitExit(() -> links.delete(name));
            }
        } catch (IOException e) {
            throw notResponding(e);
        } finally {
            links.delete(name);
        }
    }

    @Override
    public void close() {
        // Each request uses a connection of its own.
    }

    private ProblemException notResponding(IOException e) {
        return new ProblemException(Problem.failure(
                Location.machine(name),
                "the userspace WireGuard at " + socket.path() + " does not respond: " + e.getMessage(),
                "check whether its program is still running"));
    }
}
