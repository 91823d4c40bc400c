// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.Channel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * Serves all TCP connections to one address on one thread: an idle one costs only some memory. If there are too many,
 * the one that has been idle for longest is closed, of the client that has the most.
 */
final class TcpService implements Channel {

    /** Connections that wait to be accepted. */
    private static final int BACKLOG = 256;

    private static final int MAX_ACCEPTED_AT_ONCE = 16;

    private final ServerSocketChannel listening;
    private final Selector selector;
    private final QuerySubmitter submitter;
    private final TcpLimits limits;
    private final List<TcpConnection> connections = new ArrayList<>();
    private final Queue<Runnable> replies = new ConcurrentLinkedQueue<>();

    /** Accepts a query and calls back with the response, on any thread; empty if there is none. */
    @FunctionalInterface
    interface QuerySubmitter {

        /** Returns the query in flight, so that it can be dropped; empty if it was not accepted. */
        Optional<FairQueryQueue.Query> submit(InetSocketAddress client, byte[] query, Consumer<Optional<byte[]>> reply);
    }

    /** @param listening a socket bound by {@link #open} */
    private TcpService(ServerSocketChannel listening, Selector selector, QuerySubmitter submitter, TcpLimits limits) {
        this.listening = listening;
        this.selector = selector;
        this.submitter = submitter;
        this.limits = limits;
    }

    /** Opens the listening socket; call {@link #serve} next. */
    static TcpService open(InetSocketAddress address, QuerySubmitter submitter, TcpLimits limits) throws IOException {
        ServerSocketChannel listening = ServerSocketChannel.open();
        try {
            listening.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            listening.bind(address, BACKLOG);
            listening.configureBlocking(false);
            Selector selector = Selector.open();
            listening.register(selector, SelectionKey.OP_ACCEPT);
            return new TcpService(listening, selector, submitter, limits);
        } catch (IOException e) {
            listening.close();
            throw e;
        }
    }

    int port() throws IOException {
        return ((InetSocketAddress) listening.getLocalAddress()).getPort();
    }

    @Override
    public boolean isOpen() {
        return listening.isOpen();
    }

    /** Serves until it is closed or an error occurs. */
    void serve() throws IOException {
        try {
            while (listening.isOpen()) {
                awaitEvents(selector);
                for (Runnable reply = replies.poll(); reply != null; reply = replies.poll()) {
                    reply.run();
                }
                for (SelectionKey key : selector.selectedKeys()) {
                    if (key.attachment() instanceof TcpConnection connection) {
                        connection.handleEvents();
                    } else {
                        accept();
                    }
                }
                selector.selectedKeys().clear();
                long now = System.nanoTime();
                List.copyOf(connections).stream()
                        .filter(connection -> connection.nanosLeft(now) <= 0)
                        .forEach(TcpConnection::close);
            }
        } finally {
            listening.close();
            List.copyOf(connections).forEach(TcpConnection::close);
            selector.close();
        }
    }

    private void awaitEvents(Selector events) throws IOException {
        long now = System.nanoTime();
        long nanos = connections.stream()
                .mapToLong(connection -> connection.nanosLeft(now))
                .min()
                .orElse(Long.MAX_VALUE);
        if (nanos == Long.MAX_VALUE) {
            events.select();
        } else if (nanos <= 0) {
            events.selectNow();
        } else {
            // Rounded up, so that a wait does not spin through its last millisecond.
            events.select(Duration.ofNanos(nanos).toMillis() + 1);
        }
    }

    /** Accepts a limited number at once, so that existing connections are served in between. */
    private void accept() throws IOException {
        for (int accepted = 0; accepted < MAX_ACCEPTED_AT_ONCE; accepted++) {
            SocketChannel channel;
            try {
                channel = listening.accept();
            } catch (IOException e) {
                // Usually out of file descriptors: closes a connection.
                if (!closeIdlest(Optional.empty())) {
                    throw e;
                }
                return;
            }
            if (channel == null) {
                return;
            }
            register(channel);
        }
    }

    private void register(SocketChannel channel) throws IOException {
        try {
            InetSocketAddress remote = (InetSocketAddress) channel.getRemoteAddress();
            InetAddress client = remote.getAddress();
            if (connectionCount(client) >= limits.connectionsPerClient()) {
                closeIdlest(Optional.of(client));
            } else if (connections.size() >= limits.connections()) {
                closeIdlest(Optional.empty());
            }
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
            TcpConnection connection =
                    new TcpConnection(channel, key, remote, submitter, limits, this::runLater, connections::remove);
            key.attach(connection);
            connections.add(connection);
        } catch (IOException _) {
            // The client has disconnected already.
            channel.close();
        }
    }

    /** Passes a response from another thread to this service's thread. */
    private void runLater(Runnable reply) {
        replies.add(reply);
        selector.wakeup();
    }

    /**
     * Closes the connection that has been idle for longest.
     *
     * @param preferred the client whose connection is closed; empty for the client that has the most
     */
    private boolean closeIdlest(Optional<InetAddress> preferred) {
        Optional<InetAddress> client = preferred.or(() ->
                connections.stream().map(TcpConnection::client).max(Comparator.comparingLong(this::connectionCount)));
        Optional<TcpConnection> idlest = connections.stream()
                .filter(connection -> client.filter(connection.client()::equals).isPresent())
                .max(Comparator.comparing(TcpConnection::isIdle).thenComparingLong(TcpConnection::idleNanos));
        idlest.ifPresent(TcpConnection::close);
        return idlest.isPresent();
    }

    private long connectionCount(InetAddress client) {
        return connections.stream()
                .filter(connection -> connection.client().equals(client))
                .count();
    }

    @Override
    public void close() throws IOException {
        listening.close();
        selector.wakeup();
    }
}
