package io.culvert.dns;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;

/**
 * The resolver of everything on this machine: takes questions on its own addresses and passes them on, by sockets that are
 * marked and bound as {@link Upstreams} says. When nobody answers there, the answer is SERVFAIL: there is no other way
 * out.
 *
 * <p>All sockets are opened by the thread that calls {@link #listen}, or by platform threads that descend from it: threads
 * inherit the network namespace.
 */
public final class DnsStub implements AutoCloseable {

    /** Questions under way; more are dropped, as by any overloaded server, and asked again by who needs them. */
    private static final int AT_ONCE = 128;

    private static final int CONNECTIONS = 32;

    /** RFC 7766 section 6.2.3 asks for some seconds. */
    private static final int IDLE_MILLIS = 10_000;

    private final AtomicReference<Directions> directions;
    private final Responder responder;
    private final Patience patience;
    private final LongSupplier nanoTime;
    private final Map<InetAddress, List<Closeable>> sockets = new ConcurrentHashMap<>();
    private final ThreadPoolExecutor questions = workers(AT_ONCE);
    private final ThreadPoolExecutor connections = workers(CONNECTIONS);

    /**
     * Answers nothing but failures before {@link #useUpstreams}.
     *
     * @param nanoTime nanoseconds, never going back, as {@link System#nanoTime}
     */
    public DnsStub(Patience patience, LongSupplier nanoTime) {
        this.patience = patience;
        this.nanoTime = nanoTime;
        this.directions = new AtomicReference<>(new Directions(Upstreams.NONE, List.of(), patience, nanoTime));
        this.responder = new Responder((question, id) -> directions.get().answer(question, id));
    }

    /**
     * Passes questions on to these servers from now on, and forgets what others answered.
     *
     * @param routes for some names other servers; the longest suffix counts
     */
    public void useUpstreams(Upstreams upstreams, List<DnsRoute> routes) {
        directions.set(new Directions(upstreams, routes, patience, nanoTime));
    }

    /**
     * Takes questions on this address too, by UDP and TCP, until {@link #close}.
     *
     * @param address port 0 is one of the kernel's choice
     * @return with the port that it became
     * @throws ProblemException when the address cannot be had
     */
    public InetSocketAddress listen(InetSocketAddress address) {
        List<Closeable> opened = new ArrayList<>();
        try {
            ServerSocket tcp = new ServerSocket();
            opened.add(tcp);
            tcp.setReuseAddress(true);
            tcp.bind(address);
            InetSocketAddress bound = new InetSocketAddress(address.getAddress(), tcp.getLocalPort());
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
        } catch (IOException e) {
            opened.forEach(DnsStub::quietly);
            String where = Prefix.text(address.getAddress()) + " port " + address.getPort();
            throw new ProblemException(Problem.machine(
                    Place.machine("DNS"),
                    "names cannot be answered on " + where + ": " + e.getMessage(),
                    "let the other program in this network use another port"));
        }
    }

    /** Whether questions are still taken on an address; a fault of either socket ends both, and both are had anew. */
    public boolean isServing(InetAddress address) {
        return sockets.containsKey(address) && sockets.get(address).stream().noneMatch(DnsStub::isClosed);
    }

    @Override
    public void close() {
        sockets.values().forEach(both -> both.forEach(DnsStub::quietly));
        questions.shutdown();
        connections.shutdown();
    }

    private void serveDatagrams(DatagramChannel channel, List<Closeable> both) {
        ByteBuffer buffer = ByteBuffer.allocate(65535);
        try {
            while (true) {
                buffer.clear();
                SocketAddress asker = channel.receive(buffer);
                byte[] request = new byte[buffer.flip().remaining()];
                buffer.get(request);
                execute(questions, () -> answer(channel, asker, request));
            }
        } catch (IOException _) {
            // Closed, by us or by a fault that isServing() shows.
        } finally {
            both.forEach(DnsStub::quietly);
        }
    }

    private void answer(DatagramChannel channel, SocketAddress asker, byte[] request) {
        responder.respond(request, Transport.UDP).ifPresent(reply -> {
            try {
                channel.send(ByteBuffer.wrap(reply), asker);
            } catch (IOException _) {
                // The asker is gone, or we are; it asks again if it still wants to know.
            }
        });
    }

    private void serveConnections(ServerSocket listening, List<Closeable> both) {
        try {
            while (true) {
                Socket connection = listening.accept();
                if (!execute(connections, () -> converse(connection))) {
                    quietly(connection);
                }
            }
        } catch (IOException _) {
            // Closed, by us or by a fault that isServing() shows.
        } finally {
            both.forEach(DnsStub::quietly);
        }
    }

    private void converse(Socket connection) {
        try (connection) {
            connection.setSoTimeout(IDLE_MILLIS);
            DataInputStream in = new DataInputStream(connection.getInputStream());
            OutputStream out = connection.getOutputStream();
            while (true) {
                byte[] request = in.readNBytes(in.readUnsignedShort());
                Optional<byte[]> reply = responder.respond(request, Transport.TCP);
                if (reply.isEmpty()) {
                    return;
                }
                out.write(ByteBuffer.allocate(2 + reply.get().length)
                        .putShort((short) reply.get().length)
                        .put(reply.get())
                        .array());
            }
        } catch (IOException _) {
            // The end of the conversation: the asker's wish, or silence.
        }
    }

    private static boolean execute(ThreadPoolExecutor workers, Runnable work) {
        try {
            workers.execute(work);
            return true;
        } catch (RejectedExecutionException _) {
            return false;
        }
    }

    private static ThreadPoolExecutor workers(int most) {
        return new ThreadPoolExecutor(0, most, 30, TimeUnit.SECONDS, new SynchronousQueue<>(), DnsStub::thread);
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
                : socket instanceof ServerSocket server && server.isClosed();
    }

    private static void quietly(Closeable socket) {
        try {
            socket.close();
        } catch (IOException _) {
            // Nothing to be done about it.
        }
    }
}
