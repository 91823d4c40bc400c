// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.OpenFiles;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.DatagramChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

/**
 * The stub resolver for all programs on this machine: receives queries on its addresses and forwards them, by sockets
 * that are marked and bound according to {@link Upstreams}. If no upstream server responds, the response is SERVFAIL:
 * queries never leave otherwise.
 *
 * <p>All sockets are opened by the thread that calls {@link #listen}, or by platform threads started from it: threads
 * inherit the network namespace.
 */
public final class DnsStub implements AutoCloseable {

    /** Of all clients together. Each holds a thread until the timeout of {@link Timeouts} if no server responds. */
    private static final int MAX_IN_FLIGHT = 256;

    /** Keeps threads free for other clients. */
    private static final int MAX_IN_FLIGHT_PER_CLIENT = 128;

    /** An unanswered query has a socket per server queried, and TCP clients have theirs. */
    private static final int FILE_DESCRIPTORS = 4096;

    private static final int MAX_PORT_ATTEMPTS = 20;

    private final AtomicReference<DnsRouting> routing;
    private final Responder responder;
    private final Timeouts timeouts;
    private final LongSupplier nanoTime;
    private final StubSockets opener;
    private final Map<InetAddress, List<Channel>> sockets = new ConcurrentHashMap<>();
    private final FairQueryQueue inFlight = new FairQueryQueue(MAX_IN_FLIGHT, MAX_IN_FLIGHT_PER_CLIENT);
    private final ThreadPoolExecutor workers = new ThreadPoolExecutor(
            0, MAX_IN_FLIGHT, 30, TimeUnit.SECONDS, new HandoffQueue(), DnsStub::newThread, DnsStub::enqueue);

    /**
     * Creates a stub that answers every query with SERVFAIL until {@link #useUpstreams} is called.
     *
     * @param nanoTime a monotonic clock in nanoseconds, like {@link System#nanoTime}
     */
    public DnsStub(Timeouts timeouts, LongSupplier nanoTime) {
        this(timeouts, nanoTime, StubSockets.SYSTEM);
    }

    /**
     * Creates a stub that answers every query with SERVFAIL until {@link #useUpstreams} is called.
     *
     * @param nanoTime a monotonic clock in nanoseconds, like {@link System#nanoTime}
     * @param opener opens the sockets on which it is queried
     */
    public DnsStub(Timeouts timeouts, LongSupplier nanoTime, StubSockets opener) {
        this.opener = opener;
        this.timeouts = timeouts;
        this.nanoTime = nanoTime;
        this.routing = new AtomicReference<>(new DnsRouting(Upstreams.NONE, List.of(), timeouts, nanoTime));
        this.responder = new Responder((query, id) -> routing.get().resolve(query, id));
    }

    /**
     * Forwards queries to these servers from now on, and clears the cache.
     *
     * @param routes other servers for some names; the longest suffix takes precedence
     */
    public void useUpstreams(Upstreams upstreams, List<DnsRoute> routes) {
        routing.set(new DnsRouting(upstreams, routes, timeouts, nanoTime));
    }

    /**
     * Listens on this address too, for UDP and TCP, until {@link #close}.
     *
     * @param address with port 0 for an ephemeral port
     * @return the address with the actual port
     * @throws ProblemException if the address cannot be bound
     */
    public InetSocketAddress listen(InetSocketAddress address) {
        OpenFiles.raiseSoftLimit(FILE_DESCRIPTORS);
        for (int attempt = 1; ; attempt++) {
            List<Channel> opened = new ArrayList<>();
            try {
                InetSocketAddress bound = opener.open(address, this, opened);
                sockets.put(address.getAddress(), opened);
                return bound;
            } catch (IOException e) {
                opened.forEach(DnsStub::closeQuietly);
                // The ephemeral TCP port may be in use for UDP.
                if (address.getPort() != 0 || attempt == MAX_PORT_ATTEMPTS) {
                    String where = Prefix.text(address.getAddress()) + " port " + address.getPort();
                    throw new ProblemException(Problem.machine(
                            Location.machine("DNS"),
                            "cannot listen on " + where + ": " + e.getMessage(),
                            "configure the other program in this network namespace to use another port"));
                }
            }
        }
    }

    /** Opens the sockets of the system; see {@link StubSockets}. */
    InetSocketAddress open(InetSocketAddress address, List<Channel> opened) throws IOException {
        TcpService tcp = TcpService.open(address, this::submitTcp, TcpLimits.DEFAULT);
        opened.add(tcp);
        InetSocketAddress bound = new InetSocketAddress(address.getAddress(), tcp.port());
        DatagramChannel udp = DatagramChannel.open(
                Family.of(address.getAddress()) == Family.IPV4
                        ? StandardProtocolFamily.INET
                        : StandardProtocolFamily.INET6);
        opened.add(udp);
        udp.bind(bound);
        startThread("dns-udp", () -> serveUdp(udp, opened));
        startThread("dns-tcp", () -> serveTcp(tcp, opened));
        return bound;
    }

    /**
     * Sends the stub a query for a name that it answers itself, and waits for the response.
     *
     * @throws IOException if there is none within the timeout
     */
    public static void checkResponds(InetSocketAddress address, Duration timeout) throws IOException {
        Message query = Message.newQuery(Record.newRecord(Name.fromConstantString("localhost."), Type.A, DClass.IN));
        byte[] request = query.toWire();
        try (DatagramSocket socket = new DatagramSocket(0, address.getAddress())) {
            socket.connect(address);
            socket.setSoTimeout(Math.toIntExact(timeout.toMillis()));
            socket.send(new DatagramPacket(request, request.length));
            socket.receive(new DatagramPacket(new byte[512], 512));
        } catch (PortUnreachableException _) {
            // Nothing listens, which isListening() reports.
        } catch (SocketTimeoutException e) {
            throw new IOException("no response of the DNS stub within " + timeout.toSeconds() + " s", e);
        }
    }

    /** Stops listening on this address. */
    public void stopListening(InetAddress address) {
        Optional.ofNullable(sockets.remove(address)).ifPresent(channels -> channels.forEach(DnsStub::closeQuietly));
    }

    /**
     * Returns whether the stub listens on an address; an error of one socket closes both, and both are to be reopened.
     */
    public boolean isListening(InetAddress address) {
        return sockets.containsKey(address) && sockets.get(address).stream().noneMatch(DnsStub::isClosed);
    }

    @Override
    public void close() {
        sockets.values().forEach(channels -> channels.forEach(DnsStub::closeQuietly));
        workers.shutdown();
    }

    private void serveUdp(DatagramChannel channel, List<Channel> channels) {
        ByteBuffer buffer = ByteBuffer.allocate(65535);
        try {
            while (true) {
                buffer.clear();
                InetSocketAddress client = (InetSocketAddress) channel.receive(buffer);
                if (buffer.flip().remaining() > TcpLimits.MAX_QUERY_BYTES) {
                    continue;
                }
                byte[] request = new byte[buffer.remaining()];
                buffer.get(request);
                submit(client, query -> respond(channel, client, request, query));
            }
        } catch (IOException _) {
            // Closed, by close() or by an error, which isServing() reports.
        } finally {
            channels.forEach(DnsStub::closeQuietly);
        }
    }

    /**
     * A dropped query gets no response, like one that an overloaded server never received, so the client repeats it.
     */
    private void respond(
            DatagramChannel channel, InetSocketAddress client, byte[] request, FairQueryQueue.Query query) {
        responder
                .respond(request, Transport.UDP)
                .filter(_ -> !query.isDropped())
                .ifPresent(reply -> {
                    try {
                        channel.send(ByteBuffer.wrap(reply), client);
                    } catch (IOException _) {
                        // The client or this socket is closed; the client repeats the query if needed.
                    }
                });
    }

    private void serveTcp(TcpService tcp, List<Channel> channels) {
        try {
            tcp.serve();
        } catch (IOException _) {
            // Closed, by close() or by an error, which isServing() reports.
        } finally {
            channels.forEach(DnsStub::closeQuietly);
        }
    }

    private Optional<FairQueryQueue.Query> submitTcp(
            InetSocketAddress client, byte[] request, Consumer<Optional<byte[]>> reply) {
        return submit(client, _ -> {
            Optional<byte[]> response = Optional.empty();
            try {
                response = responder.respond(request, Transport.TCP);
            } finally {
                // Otherwise the connection would wait for it without end.
                reply.accept(response);
            }
        });
    }

    private Optional<FairQueryQueue.Query> submit(InetSocketAddress client, Consumer<FairQueryQueue.Query> task) {
        FairQueryQueue.Query query = inFlight.admit(client);
        try {
            workers.execute(() -> {
                try (query) {
                    query.run(() -> task.accept(query));
                }
            });
            return Optional.of(query);
        } catch (RejectedExecutionException | OutOfMemoryError _) {
            // Too many queries at once, or no thread is available (pids.max of the container).
            query.close();
            return Optional.empty();
        }
    }

    /** Accepts only what an idle thread takes at once, so that the pool starts as many threads as needed. */
    private static final class HandoffQueue extends LinkedTransferQueue<Runnable> {

        @Override
        public boolean offer(Runnable task) {
            return tryTransfer(task);
        }

        boolean enqueue(Runnable task) {
            return super.offer(task);
        }
    }

    /** Queues a task while all threads are busy, usually with queries that were dropped a moment ago. */
    private static void enqueue(Runnable task, ThreadPoolExecutor workers) {
        if (workers.isShutdown()
                || !(workers.getQueue() instanceof HandoffQueue queue)
                || queue.size() >= MAX_IN_FLIGHT
                || !queue.enqueue(task)) {
            throw new RejectedExecutionException();
        }
    }

    private static void startThread(String name, Runnable task) {
        Thread thread = newThread(task);
        thread.setName(name);
        thread.start();
    }

    private static Thread newThread(Runnable task) {
        return Thread.ofPlatform().daemon().name("dns").unstarted(task);
    }

    private static boolean isClosed(Channel socket) {
        return !socket.isOpen();
    }

    private static void closeQuietly(Channel socket) {
        try {
            socket.close();
        } catch (IOException _) {
            // Closing a socket has no useful error handling.
        }
    }
}
