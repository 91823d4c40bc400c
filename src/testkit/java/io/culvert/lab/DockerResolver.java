// SPDX-License-Identifier: Apache-2.0
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
 * Docker's embedded resolver: at 127.0.0.11 inside the container, on a port to which the container's nftables redirect
 * port 53. It forwards names that it does not know unchanged, with the same ID (moby: daemon/libnetwork/resolver.go,
 * forwardExtDNS): from inside the container or, if the host's resolver listens on the host's loopback, from outside,
 * where the container's kill switch has no effect.
 */
public final class DockerResolver implements AutoCloseable {

    /** Its address (moby: daemon/libnetwork/resolver.go). */
    public static final String ADDRESS = "127.0.0.11";

    /** The address of the container {@code db}. */
    public static final String CONTAINER_IPV4 = "192.0.2.77";

    /** How long it waits for the server to which it forwards (moby: extIOTimeout). */
    private static final int FORWARD_TIMEOUT_MILLIS = 4000;

    private final LabNamespace namespace;
    private final DatagramSocket socket;
    private final Optional<String> forwardTo;
    private final ExecutorService workers =
            Executors.newCachedThreadPool(work -> Thread.ofPlatform().daemon().unstarted(work));
    private final List<ReceivedQuery> queries = new CopyOnWriteArrayList<>();

    private DockerResolver(LabNamespace namespace, Optional<String> forwardTo) {
        this.namespace = namespace;
        this.forwardTo = forwardTo;
        try {
            socket = namespace.call(() -> new DatagramSocket(0, InetAddress.getByName(ADDRESS)));
        } catch (Exception e) {
            throw new AssertionError("starting the Docker resolver", e);
        }
        namespace.nft("""
                table ip engine {
                  chain out {
                    type nat hook output priority -100;
                    ip daddr %s udp dport 53 dnat to %s:%d
                  }
                }
                """.formatted(ADDRESS, ADDRESS, socket.getLocalPort()));
        Thread.ofPlatform().daemon().name("docker resolver").start(this::serve);
    }

    /**
     * Returns a resolver that forwards from outside the container.
     *
     * @param namespace the container's network
     */
    public static DockerResolver forwardingFromOutside(LabNamespace namespace) {
        return new DockerResolver(namespace, Optional.empty());
    }

    /**
     * Returns a resolver that knows the container {@code db}, and forwards other queries from inside to this server.
     */
    public static DockerResolver forwardingTo(LabNamespace namespace, String server) {
        return new DockerResolver(namespace, Optional.of(server));
    }

    /** Returns the queries received so far. */
    public List<ReceivedQuery> queries() {
        return List.copyOf(queries);
    }

    private void serve() {
        while (!socket.isClosed()) {
            try {
                DatagramPacket packet = new DatagramPacket(new byte[4096], 4096);
                socket.receive(packet);
                workers.execute(() -> answer(packet));
            } catch (IOException | RejectedExecutionException e) {
                // It was closed, or the client has disconnected.
            }
        }
    }

    private void answer(DatagramPacket packet) {
        try {
            byte[] query = Arrays.copyOf(packet.getData(), packet.getLength());
            byte[] answer = reply(query, packet.getAddress());
            socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
        } catch (IOException e) {
            // It was closed, or the client has disconnected.
        }
    }

    private byte[] reply(byte[] wire, InetAddress sourceAddress) throws IOException {
        byte[] fromOutside = ReceivedQuery.reply(wire, sourceAddress, "udp", _ -> List.of(), queries::add);
        if (forwardTo.isEmpty()) {
            return fromOutside;
        }
        Message query = new Message(wire);
        return query.getQuestion().getName().toString().equals("db.")
                ? ReceivedQuery.replyWithAddress(query, CONTAINER_IPV4)
                : forward(query, forwardTo.get());
    }

    private byte[] forward(Message query, String server) throws IOException {
        try (DatagramSocket inside = namespace.call(() -> new DatagramSocket())) {
            inside.setSoTimeout(FORWARD_TIMEOUT_MILLIS);
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
        namespace.nft("delete table ip engine");
    }
}
