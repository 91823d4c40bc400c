package io.culvert.dns;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import io.culvert.linux.OpenFiles;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
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

/**
 * The stub resolver for all programs on this machine: receives queries on its addresses and forwards them, by sockets
 * that are marked and bound according to {@link Upstreams}. If no upstream server responds, the response is SERVFAIL:
 * queries never leave otherwise.
 *
 * <p>All sockets are opened by the thread that calls {@link #listen}, or by platform threads started from it: threads
 * inherit the network namespace.
 */
public final class DnsStub implements AutoCloseable {

    /** Of all clients together. Each holds a thread until the timeout of {@link Patience} if no server responds. */
    private static final int IN_FLIGHT = 256;

    /** Keeps threads free for other clients. */
    private static final int IN_FLIGHT_OF_ONE = 128;

    /** An unanswered query has a socket per server queried, and TCP clients have theirs. */
    private static final int ENOUGH_DESCRIPTORS = 4096;

    private static final int PORTS_TRIED = 20;

    private final AtomicReference<Directions> directions;
    private final Responder responder;
    private final Patience patience;
    private final LongSupplier nanoTime;
    private final Map<InetAddress, List<Closeable>> sockets = new ConcurrentHashMap<>();
    private final QueriesInFlight inFlight = new QueriesInFlight(IN_FLIGHT, IN_FLIGHT_OF_ONE);
    private final ThreadPoolExecutor workers =
            new ThreadPoolExecutor(0, IN_FLIGHT, 30, TimeUnit.SECONDS, new Waiting(), DnsStub::thread, DnsStub::hold);

    /**
     * Creates a stub that answers every query with SERVFAIL until {@link #useUpstreams} is called.
     *
     * @param nanoTime a monotonic clock in nanoseconds, like {@link System#nanoTime}
     */
    public DnsStub(Patience patience, LongSupplier nanoTime) {
        this.patience = patience;
        this.nanoTime = nanoTime;
        this.directions = new AtomicReference<>(new Directions(Upstreams.NONE, List.of(), patience, nanoTime));
        this.responder = new Responder((question, id) -> directions.get().answer(question, id));
    }

    /**
     * Forwards queries to these servers from now on, and clears the cache.
     *
     * @param routes other servers for some names; the longest suffix takes precedence
     */
    public void useUpstreams(Upstreams upstreams, List<DnsRoute> routes) {
        directions.set(new Directions(upstreams, routes, patience, nanoTime));
    }

    /**
     * Listens on this address too, for UDP and TCP, until {@link #close}.
     *
     * @param address with port 0 for an ephemeral port
     * @return the address with the actual port
     * @throws ProblemException if the address cannot be bound
     */
    public InetSocketAddress listen(InetSocketAddress address) {
        OpenFiles.raise(ENOUGH_DESCRIPTORS);
        for (int attempt = 1; ; attempt++) {
            List<Closeable> opened = new ArrayList<>();
            try {
                return open(address, opened);
            } catch (IOException e) {
                opened.forEach(DnsStub::quietly);
                // The ephemeral TCP port may be in use for UDP.
                if (address.getPort() != 0 || attempt == PORTS_TRIED) {
                    String where = Prefix.text(address.getAddress()) + " port " + address.getPort();
                    throw new ProblemException(Problem.machine(
                            Place.machine("DNS"),
                            "cannot listen on " + where + ": " + e.getMessage(),
                            "configure the other program in this network namespace to use another port"));
                }
            }
        }
    }

    private InetSocketAddress open(InetSocketAddress address, List<Closeable> opened) throws IOException {
        TcpService tcp = TcpService.open(address, this::askedByTcp, TcpLimits.USUAL);
        opened.add(tcp);
        InetSocketAddress bound = new InetSocketAddress(address.getAddress(), tcp.port());
        DatagramChannel udp = DatagramChannel.open(
                Family.of(address.getAddress()) == Family.IPV4
                        ? StandardProtocolFamily.INET
                        : StandardProtocolFamily.INET6);
        opened.add(udp);
        udp.bind(bound);
        sockets.put(address.getAddress(), opened);
        start("dns-udp", () -> serveDatagrams(udp, opened));
        start("dns-tcp", () -> serveConnections(tcp, opened));
        return bound;
    }

    /** Stops listening on this address. */
    public void leave(InetAddress address) {
        Optional.ofNullable(sockets.remove(address)).ifPresent(both -> both.forEach(DnsStub::quietly));
    }

    /**
     * Returns whether the stub listens on an address; an error of one socket closes both, and both are to be reopened.
     */
    public boolean isServing(InetAddress address) {
        return sockets.containsKey(address) && sockets.get(address).stream().noneMatch(DnsStub::isClosed);
    }

    @Override
    public void close() {
        sockets.values().forEach(both -> both.forEach(DnsStub::quietly));
        workers.shutdown();
    }

    private void serveDatagrams(DatagramChannel channel, List<Closeable> both) {
        ByteBuffer buffer = ByteBuffer.allocate(65535);
        try {
            while (true) {
                buffer.clear();
                InetSocketAddress asker = (InetSocketAddress) channel.receive(buffer);
                if (buffer.flip().remaining() > TcpLimits.LARGEST_QUERY) {
                    continue;
                }
                byte[] request = new byte[buffer.remaining()];
                buffer.get(request);
                ask(asker, query -> answer(channel, asker, request, query));
            }
        } catch (IOException _) {
            // Closed, by close() or by an error, which isServing() reports.
        } finally {
            both.forEach(DnsStub::quietly);
        }
    }

    /**
     * A dropped query gets no response, like one that an overloaded server never received, so the client repeats it.
     */
    private void answer(DatagramChannel channel, InetSocketAddress asker, byte[] request, QueriesInFlight.Query query) {
        responder
                .respond(request, Transport.UDP)
                .filter(_ -> !query.isGivenUp())
                .ifPresent(reply -> {
                    try {
                        channel.send(ByteBuffer.wrap(reply), asker);
                    } catch (IOException _) {
                        // The client or this socket is closed; the client repeats the query if needed.
                    }
                });
    }

    private void serveConnections(TcpService tcp, List<Closeable> both) {
        try {
            tcp.serve();
        } catch (IOException _) {
            // Closed, by close() or by an error, which isServing() reports.
        } finally {
            both.forEach(DnsStub::quietly);
        }
    }

    private Optional<QueriesInFlight.Query> askedByTcp(
            InetSocketAddress client, byte[] request, Consumer<Optional<byte[]>> reply) {
        return ask(client, _ -> {
            Optional<byte[]> answer = Optional.empty();
            try {
                answer = responder.respond(request, Transport.TCP);
            } finally {
                // Otherwise the connection would wait for it without end.
                reply.accept(answer);
            }
        });
    }

    private Optional<QueriesInFlight.Query> ask(InetSocketAddress client, Consumer<QueriesInFlight.Query> work) {
        QueriesInFlight.Query query = inFlight.admit(client);
        try {
            workers.execute(() -> {
                try (query) {
                    query.run(() -> work.accept(query));
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
    private static final class Waiting extends LinkedTransferQueue<Runnable> {

        @Override
        public boolean offer(Runnable work) {
            return tryTransfer(work);
        }

        boolean hold(Runnable work) {
            return super.offer(work);
        }
    }

    /** Queues a task while all threads are busy, usually with queries that were dropped a moment ago. */
    private static void hold(Runnable work, ThreadPoolExecutor workers) {
        if (workers.isShutdown()
                || !(workers.getQueue() instanceof Waiting waiting)
                || waiting.size() >= IN_FLIGHT
                || !waiting.hold(work)) {
            throw new RejectedExecutionException();
        }
    }

    private static void start(String name, Runnable work) {
        Thread thread = thread(work);
        thread.setName(name);
        thread.start();
    }

    private static Thread thread(Runnable work) {
        return Thread.ofPlatform().daemon().name("dns").unstarted(work);
    }

    private static boolean isClosed(Closeable socket) {
        return socket instanceof DatagramChannel channel
                ? !channel.isOpen()
                : socket instanceof TcpService tcp && !tcp.isOpen();
    }

    private static void quietly(Closeable socket) {
        try {
            socket.close();
        } catch (IOException _) {
            // Closing a socket has no useful error handling.
        }
    }
}
