// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.net.Endpoint;
import io.culvert.status.OwnerSocket;
import io.culvert.timing.Threads;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.time.Clock;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The HTTP control server of a running exit node. It has a thread for each connection, of which there are few, and closes
 * those that take too long. If there are too many, the one that has been idle for the longest time makes room for a new one.
 */
public final class ControlServer implements AutoCloseable {

    private static final long CHECK_MILLIS = 500;

    private final ControlApi api;
    private final HttpLimits limits;
    private final Threads threads;
    private final Log log;
    private final Map<SocketAddress, ServerSocketChannel> listeners = new HashMap<>();
    private final Set<SocketAddress> reported = new HashSet<>();
    private final Set<HttpConnection> connections = new LinkedHashSet<>();
    private final ScheduledExecutorService deadlines;
    private final ScheduledExecutorService samples;
    private boolean isChecking;

    public ControlServer(
            ExitNodeAccess exitNode, EventLog events, HttpLimits limits, Threads threads, Clock clock, Log log) {
        this.api = new ControlApi(exitNode, events, limits, threads, clock);
        this.limits = limits;
        this.threads = threads;
        this.log = log;
        this.deadlines = threads.scheduler("http-deadlines", 1);
        this.samples = threads.scheduler("http-history", 1);
        var _ = samples.scheduleWithFixedDelay(this::sample, 0, History.INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    /**
     * Listens on these addresses only. Idempotent.
     *
     * @return whether it listens on all of them; to be repeated otherwise
     */
    public boolean listen(Set<SocketAddress> addresses) {
        Map.copyOf(listeners).forEach((address, listener) -> {
            if (!addresses.contains(address) || !listener.isOpen()) {
                close(address);
            }
        });
        for (SocketAddress address : addresses) {
            if (!listeners.containsKey(address)) {
                open(address);
            }
        }
        return listeners.size() == addresses.size();
    }

    private void open(SocketAddress address) {
        try {
            ServerSocketChannel server;
            if (address instanceof UnixDomainSocketAddress unix) {
                server = OwnerSocket.listen(unix.getPath());
            } else {
                server = ServerSocketChannel.open();
                try {
                    server.bind(address);
                } catch (IOException e) {
                    server.close();
                    throw e;
                }
            }
            listeners.put(address, server);
            reported.remove(address);
            threads.start("http", () -> accept(server));
            log.info("http: listening on " + text(address));
        } catch (IOException e) {
            if (reported.add(address)) {
                log.problems(List.of(Problem.warning(
                        Location.setting("CULVERT_HTTP"),
                        "cannot listen on " + text(address) + " (" + e.getMessage() + "); this is retried",
                        "use another port, or stop the program that uses it")));
            }
        }
    }

    private void accept(ServerSocketChannel server) {
        while (server.isOpen()) {
            try {
                admit(server.accept());
            } catch (IOException _) {
                // The listener is being closed, or the client has disconnected already.
            }
        }
    }

    private void admit(SocketChannel channel) throws IOException {
        HttpConnection connection = new HttpConnection(channel, api, limits, threads);
        synchronized (connections) {
            long ofClient = connections.stream()
                    .filter(it -> it.client().equals(connection.client()))
                    .count();
            boolean hasRoom = ofClient < limits.connectionsPerClient() || evict(Optional.of(connection.client()));
            if (!hasRoom || (connections.size() >= limits.connections() && !evict(Optional.empty()))) {
                channel.close();
                return;
            }
            connections.add(connection);
            if (!isChecking) {
                isChecking = true;
                scheduleCheck();
            }
        }
        threads.start("http-connection", () -> {
            try {
                connection.serve();
            } finally {
                synchronized (connections) {
                    connections.remove(connection);
                }
            }
        });
    }

    /** Closes the connection that has been idle for the longest time. */
    private boolean evict(Optional<String> client) {
        Optional<HttpConnection> idle = connections.stream()
                .filter(it -> client.isEmpty() || client.get().equals(it.client()))
                .filter(it -> !it.isBusy())
                .min(Comparator.comparingLong(HttpConnection::idleSince));
        idle.ifPresent(connection -> {
            connection.close();
            connections.remove(connection);
        });
        return idle.isPresent();
    }

    private void sample() {
        try {
            api.sample();
        } catch (RuntimeException _) {
            // The exit node is starting, or busy: this sample is missing.
        }
    }

    private void scheduleCheck() {
        var _ = deadlines.schedule(this::checkDeadlines, CHECK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void checkDeadlines() {
        synchronized (connections) {
            connections.stream().filter(HttpConnection::isOverdue).forEach(HttpConnection::close);
            isChecking = !connections.isEmpty();
            if (isChecking) {
                scheduleCheck();
            }
        }
    }

    private void close(SocketAddress address) {
        try {
            Optional.ofNullable(listeners.remove(address)).orElseThrow().close();
            if (address instanceof UnixDomainSocketAddress unix) {
                Files.deleteIfExists(unix.getPath());
            }
            log.info("http: no longer listening on " + text(address));
        } catch (IOException e) {
            log.debug("http: " + e.getMessage());
        }
    }

    private static String text(SocketAddress address) {
        return address instanceof InetSocketAddress socket ? Endpoint.of(socket).toString() : address.toString();
    }

    @Override
    public void close() {
        List.copyOf(listeners.keySet()).forEach(this::close);
        deadlines.shutdownNow();
        samples.shutdownNow();
        synchronized (connections) {
            connections.forEach(HttpConnection::close);
        }
    }
}
