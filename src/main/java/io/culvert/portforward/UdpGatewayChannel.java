// SPDX-License-Identifier: Apache-2.0
package io.culvert.portforward;

import io.culvert.linux.Egress;
import io.culvert.linux.MarkedSocket;
import io.culvert.net.Transport;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/** A UDP socket that is connected to the gateway: the kernel drops datagrams of other senders. */
public final class UdpGatewayChannel implements GatewayChannel {

    private final MarkedSocket socket;

    private UdpGatewayChannel(MarkedSocket socket) {
        this.socket = socket;
    }

    /** Opens a socket; no datagram leaves by another link than that of {@code egress}. */
    public static UdpGatewayChannel open(InetAddress gateway, Egress egress) throws IOException {
        return new UdpGatewayChannel(MarkedSocket.connect(
                Transport.UDP, new InetSocketAddress(gateway, MappingProtocol.PORT), egress, Duration.ofSeconds(1)));
    }

    @Override
    public void send(byte[] datagram) throws IOException {
        socket.send(datagram);
    }

    @Override
    public Optional<byte[]> receive(Duration atMost) throws IOException {
        byte[] buffer = new byte[MappingProtocol.MAX_RESPONSE];
        try {
            return Optional.of(Arrays.copyOf(buffer, socket.receive(buffer, atMost)));
        } catch (SocketTimeoutException _) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
