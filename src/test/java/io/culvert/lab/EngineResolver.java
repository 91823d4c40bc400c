package io.culvert.lab;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;

/**
 * Docker's resolver for the containers of a project: at 127.0.0.11 inside of the container, on a port of its own to which the
 * container's nftables lead port 53. What it does not know it forwards as it is, id included (moby:
 * daemon/libnetwork/resolver.go, forwardExtDNS): from inside of the container, or from outside where no kill switch of the
 * container sees it, when the host's resolver listens on the host's loopback.
 */
public final class EngineResolver implements AutoCloseable {

    /** Where Docker puts it (moby: daemon/libnetwork/resolver.go). */
    public static final String ADDRESS = "127.0.0.11";

    /** Names of containers that it knows, and where they all are. */
    public static final String CONTAINER_4 = "192.0.2.77";

    /** How long it waits for a server to which it forwards (moby: extIOTimeout). */
    private static final int FORWARDED_MILLIS = 4000;

    private final Namespace space;
    private final DatagramSocket socket;
    private final Optional<String> forwardTo;
    private final ExecutorService workers =
            Executors.newCachedThreadPool(work -> Thread.ofPlatform().daemon().unstarted(work));
    private final List<DnsQuestion> questions = new CopyOnWriteArrayList<>();

    private EngineResolver(Namespace space, Optional<String> forwardTo) {
        this.space = space;
        this.forwardTo = forwardTo;
        try {
            socket = space.call(() -> new DatagramSocket(0, InetAddress.getByName(ADDRESS)));
        } catch (Exception e) {
            throw new AssertionError("starting the engine's resolver", e);
        }
        space.nft("""
                table ip engine {
                  chain out {
                    type nat hook output priority -100;
                    ip daddr %s udp dport 53 dnat to %s:%d
                  }
                }
                """.formatted(ADDRESS, ADDRESS, socket.getLocalPort()));
        Thread.ofPlatform().daemon().name("the engine's resolver").start(this::serve);
    }

    /**
     * Forwards from outside of the container.
     *
     * @param space the container's network
     */
    public static EngineResolver outside(Namespace space) {
        return new EngineResolver(space, Optional.empty());
    }

    /** Knows the container {@code db}, and forwards all else from inside to this server. */
    public static EngineResolver forwardingTo(Namespace space, String server) {
        return new EngineResolver(space, Optional.of(server));
    }

    /** What it was asked so far. */
    public List<DnsQuestion> questions() {
        return List.copyOf(questions);
    }

    private void serve() {
        while (!socket.isClosed()) {
            try {
                DatagramPacket packet = new DatagramPacket(new byte[4096], 4096);
                socket.receive(packet);
                workers.execute(() -> reply(packet));
            } catch (IOException | RejectedExecutionException e) {
                // It was closed, or the asker went away.
            }
        }
    }

    private void reply(DatagramPacket packet) {
        try {
            byte[] question = Arrays.copyOf(packet.getData(), packet.getLength());
            byte[] answer = answer(question, packet.getAddress());
            socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
        } catch (IOException e) {
            // It was closed, or the asker went away.
        }
    }

    private byte[] answer(byte[] question, InetAddress asker) throws IOException {
        byte[] fromOutside = DnsQuestion.answer(question, asker, "udp", _ -> Optional.empty(), questions::add);
        if (forwardTo.isEmpty()) {
            return fromOutside;
        }
        Message query = new Message(question);
        return query.getQuestion().getName().toString().equals("db.")
                ? DnsQuestion.address(query, CONTAINER_4)
                : forward(query, forwardTo.get());
    }

    private byte[] forward(Message query, String server) throws IOException {
        try (DatagramSocket inside = space.call(() -> new DatagramSocket())) {
            inside.setSoTimeout(FORWARDED_MILLIS);
            inside.connect(new InetSocketAddress(InetAddress.getByName(server), 53));
            byte[] wire = query.toWire();
            inside.send(new DatagramPacket(wire, wire.length));
            DatagramPacket answer = new DatagramPacket(new byte[4096], 4096);
            inside.receive(answer);
            return Arrays.copyOf(answer.getData(), answer.getLength());
        } catch (Exception e) {
            query.getHeader().setFlag(Flags.QR);
            query.getHeader().setRcode(Rcode.SERVFAIL);
            return query.toWire();
        }
    }

    @Override
    public void close() {
        socket.close();
        workers.shutdown();
        space.nft("delete table ip engine");
    }
}
