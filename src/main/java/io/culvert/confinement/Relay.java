package io.culvert.confinement;

import io.culvert.linux.SystemCallException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Forwards WireGuard's encrypted messages between its userspace program, which only has the daemon's own network, and a
 * server. It does not inspect them; WireGuard itself authenticates the peer.
 */
final class Relay implements AutoCloseable {

    /** The maximum size that WireGuard adds to a packet of the tunnel. */
    private static final int SLACK = 256;

    private final DatagramChannel inner;
    private final Outside.Way way;
    private final int largest;
    private final AtomicReference<SocketAddress> device = new AtomicReference<>();

    private Relay(DatagramChannel inner, Outside.Way way, int mtu) {
        this.inner = inner;
        this.way = way;
        this.largest = mtu + SLACK;
    }

    /** Starts a relay in the calling thread's network namespace. */
    static Relay open(Outside.Way way, int mtu) throws IOException {
        DatagramChannel inner = DatagramChannel.open();
        inner.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0));
        Relay relay = new Relay(inner, way, mtu);
        Thread.ofPlatform().daemon().name("out").start(relay::out);
        Thread.ofPlatform().daemon().name("in").start(relay::in);
        return relay;
    }

    /** Returns the address that the device uses as the server's endpoint. */
    InetSocketAddress address() {
        try {
            return (InetSocketAddress) inner.getLocalAddress();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void out() {
        ByteBuffer buffer = ByteBuffer.allocate(largest);
        try {
            while (true) {
                buffer.clear();
                device.set(inner.receive(buffer));
                way.socket().send(buffer.array(), buffer.position(), way.server());
            }
        } catch (IOException _) {
            // Closed by close().
        }
    }

    private void in() {
        byte[] buffer = new byte[largest];
        try {
            while (inner.isOpen()) {
                int length = way.socket().receive(buffer);
                SocketAddress to = device.get();
                if (length > 0 && to != null) {
                    inner.send(ByteBuffer.wrap(buffer, 0, length), to);
                }
            }
        } catch (IOException | SystemCallException _) {
            // Closed by close().
        }
    }

    @Override
    public void close() throws IOException {
        inner.close();
    }
}
