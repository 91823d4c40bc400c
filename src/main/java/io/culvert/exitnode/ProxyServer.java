// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.process.Child;
import io.culvert.process.ChildEvent;
import io.culvert.process.ChildSpec;
import io.culvert.process.Supervisor;
import io.culvert.proxies.ProxyProgram;
import io.culvert.proxies.ProxyProtocol;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A proxy server, which is a child process: it is started, restarted when its parameters change, and stopped.
 *
 * @param <P> what the server is started with; it reads its configuration only once
 */
final class ProxyServer<P> implements AutoCloseable {

    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(3);

    private final String name;
    private final ProxyProtocol protocol;
    private final Function<P, ProxyProgram> prepare;
    private final Consumer<P> cleanUp;
    private volatile Optional<Child> child = Optional.empty();
    private Optional<P> started = Optional.empty();

    /** Where the server is asked whether it responds; empty where it does not listen on loopback, or not yet. */
    private volatile Optional<InetSocketAddress> probed = Optional.empty();

    private Optional<String> awaitedReadyText = Optional.empty();

    /**
     * @param name of the child process
     * @param prepare writes the configuration
     * @param cleanUp undoes what {@code prepare} changed, after the server's end
     */
    ProxyServer(String name, ProxyProtocol protocol, Function<P, ProxyProgram> prepare, Consumer<P> cleanUp) {
        this.name = name;
        this.protocol = protocol;
        this.prepare = prepare;
        this.cleanUp = cleanUp;
    }

    String name() {
        return name;
    }

    /** Starts the server, or restarts it if the parameters have changed; idempotent. */
    void run(P parameters, Supervisor supervisor) {
        if (child.isPresent() && started.equals(Optional.of(parameters))) {
            return;
        }
        close();
        started = Optional.of(parameters);
        ProxyProgram program = prepare.apply(parameters);
        awaitedReadyText = program.readyText();
        probed = Optional.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), program.port()));
        child = Optional.of(supervisor.start(new ChildSpec(
                name, program.program(), program.args(), program.environment(), program.privileges(), STOP_TIMEOUT)));
    }

    /** Handles an event of a child process: notices the line by which the server reports that it accepts clients. */
    void handle(ChildEvent event) {
        if (event instanceof ChildEvent.OutputLine(String other, String line)
                && other.equals(name)
                && awaitedReadyText.filter(line::contains).isPresent()) {
            awaitedReadyText = Optional.empty();
        }
    }

    /**
     * Checks that the server responds to a client on loopback. One that does not listen there, by its own configuration
     * or because it is being started, is not checked.
     *
     * @throws IOException if it has accepted the connection and does not respond
     */
    void checkResponds(Duration timeout) throws IOException {
        Optional<InetSocketAddress> address = probed;
        if (address.isPresent()) {
            protocol.check(address.get(), timeout);
        }
    }

    /** Kills a server that hangs; it is restarted. */
    void kill() {
        child.ifPresent(Child::kill);
    }

    /** Whether the server has reported that it accepts clients, or is stopped. */
    boolean isReady() {
        return awaitedReadyText.isEmpty();
    }

    @Override
    public void close() {
        probed = Optional.empty();
        child.ifPresent(Child::stop);
        child = Optional.empty();
        awaitedReadyText = Optional.empty();
        started.ifPresent(cleanUp);
        started = Optional.empty();
    }
}
