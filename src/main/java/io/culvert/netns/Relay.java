// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

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
    private static final int OVERHEAD = 256;

    private final DatagramChannel deviceSide;
    private final OuterSockets.ServerSocket serverSocket;
    private final int maxDatagram;
    private final AtomicReference<SocketAddress> device = new AtomicReference<>();

    private Relay(DatagramChannel deviceSide, OuterSockets.ServerSocket serverSocket, int mtu) {
        this.deviceSide = deviceSide;
        this.serverSocket = serverSocket;
        this.maxDatagram = mtu + OVERHEAD;
    }

    /** Starts a relay in the calling thread's network namespace. */
    static Relay open(OuterSockets.ServerSocket serverSocket, int mtu) throws IOException {
        DatagramChannel deviceSide = DatagramChannel.open();
        deviceSide.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0));
        Relay relay = new Relay(deviceSide, serverSocket, mtu);
        Thread.ofPlatform().daemon().name("out").start(relay::forwardToServer);
        Thread.ofPlatform().daemon().name("in").start(relay::forwardToDevice);
        return relay;
    }

    /** Returns the address that the device uses as the server's endpoint. */
    InetSocketAddress address() {
        try {
            return (InetSocketAddress) deviceSide.getLocalAddress();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void forwardToServer() {
        ByteBuffer buffer = ByteBuffer.allocate(maxDatagram);
        try {
            while (true) {
                buffer.clear();
                device.set(deviceSide.receive(buffer));
                serverSocket.socket().send(buffer.array(), buffer.position(), serverSocket.server());
            }
        } catch (IOException _) {
            // Closed by close().
        }
    }

    private void forwardToDevice() {
        byte[] buffer = new byte[maxDatagram];
        try {
            while (deviceSide.isOpen()) {
                int length = serverSocket.socket().receive(buffer);
                SocketAddress to = device.get();
                if (length > 0 && to != null) {
                    deviceSide.send(ByteBuffer.wrap(buffer, 0, length), to);
                }
            }
        } catch (IOException | SystemCallException _) {
            // Closed by close().
        }
    }

    @Override
    public void close() throws IOException {
        deviceSide.close();
    }
}
