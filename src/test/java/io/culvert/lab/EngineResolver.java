package io.culvert.lab;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Docker's resolver for the containers of a project: at 127.0.0.11 inside of the container, on a port of its own to which the
 * container's nftables lead port 53. What it does not know it asks from outside the container, where no guard of the
 * container sees it: so nobody but the chain itself may ask it.
 */
public final class EngineResolver implements AutoCloseable {

    /** Where Docker puts it (moby: daemon/libnetwork/resolver.go). */
    public static final String ADDRESS = "127.0.0.11";

    private final Namespace space;
    private final DatagramSocket socket;
    private final List<DnsQuestion> questions = new CopyOnWriteArrayList<>();

    /** @param space the container's network */
    public EngineResolver(Namespace space) {
        this.space = space;
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
        Thread.ofPlatform().daemon().name("the engine's resolver").start(this::answer);
    }

    /** What it was asked so far. */
    public List<DnsQuestion> questions() {
        return List.copyOf(questions);
    }

    private void answer() {
        while (!socket.isClosed()) {
            try {
                DatagramPacket packet = new DatagramPacket(new byte[4096], 4096);
                socket.receive(packet);
                byte[] question = Arrays.copyOf(packet.getData(), packet.getLength());
                byte[] answer = DnsQuestion.answer(question, packet.getAddress(), "udp", Map.of(), questions::add);
                socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
            } catch (IOException e) {
                // It was closed, or the asker went away.
            }
        }
    }

    @Override
    public void close() {
        socket.close();
        space.nft("delete table ip engine");
    }
}
