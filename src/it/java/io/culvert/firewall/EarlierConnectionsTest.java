// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.lab.NamespaceTest;
import io.culvert.linux.TestNamespace;
import io.culvert.net.Transport;
import io.culvert.rtnl.UdpPorts;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Connections from before the kill switch of a tunnel without a mesh end: with the LAN, and with the internet if a route in main
 * leads there outside the tunnel.
 */
@NamespaceTest
class EarlierConnectionsTest {

    private static final int MILLISECONDS = 5000;
    private static final int RECEIVE_TIMEOUT = 300;

    private final KillSwitchLab lab = new KillSwitchLab();

    @AfterEach
    void close() {
        lab.close();
    }

    static Stream<Arguments> flows() {
        return Stream.of(Transport.values())
                .flatMap(transport -> Stream.of("192.0.2.2", "2001:db8:e::2", "203.0.113.7", "2001:db8:7::7")
                        .flatMap(peer -> Stream.of(true, false)
                                .map(locallyInitiated -> Arguments.of(transport, peer, locallyInitiated))));
    }

    /** @param locallyInitiated whether this machine is the initiator */
    @ParameterizedTest
    @MethodSource("flows")
    void earlier_connections_get_no_reply_even_if_the_peer_sends_first(
            Transport transport, String peer, boolean locallyInitiated) throws IOException {
        String here = peer.contains(":") ? "2001:db8:e::1" : "192.0.2.1";
        if (transport == Transport.TCP) {
            overTcp(here, peer, locallyInitiated);
        } else {
            overUdp(here, peer, locallyInitiated);
        }
    }

    private void overTcp(String here, String peer, boolean locallyInitiated) throws IOException {
        TestNamespace client = locallyInitiated ? lab.node : lab.outside;
        TestNamespace listener = locallyInitiated ? lab.outside : lab.node;
        try (ServerSocket server =
                        listener.inside(() -> new ServerSocket(6000, 1, address(locallyInitiated ? peer : here)));
                Socket clientSocket = client.inside(() -> new Socket(
                        address(locallyInitiated ? peer : here), 6000, address(locallyInitiated ? here : peer), 0));
                Socket accepted = server.accept()) {
            Socket ourEnd = locallyInitiated ? clientSocket : accepted;
            Socket theirEnd = locallyInitiated ? accepted : clientSocket;
            send(ourEnd, "before");
            assertThat(receive(theirEnd)).as("the observer sees what passes").isEqualTo("before");
            send(theirEnd, "before");
            assertThat(receive(ourEnd)).isEqualTo("before");

            applyKillSwitch();
            send(theirEnd, "and now?");
            assertThat(receive(ourEnd)).as("inbound packets are not restricted").isEqualTo("and now?");
            send(ourEnd, "leak");

            theirEnd.setSoTimeout(RECEIVE_TIMEOUT);
            assertThatThrownBy(() -> receive(theirEnd)).isInstanceOf(SocketTimeoutException.class);
            assertThat(lab.count("rejected on the uplink")).isPositive();
        }
    }

    private void overUdp(String here, String peer, boolean locallyInitiated) throws IOException {
        try (DatagramSocket ourEnd = socket(lab.node, here);
                DatagramSocket theirEnd = socket(lab.outside, peer)) {
            DatagramSocket first = locallyInitiated ? ourEnd : theirEnd;
            DatagramSocket second = locallyInitiated ? theirEnd : ourEnd;
            send(first, "before", second);
            assertThat(receive(second)).isEqualTo("before");
            send(second, "before", first);
            assertThat(receive(first)).isEqualTo("before");

            applyKillSwitch();
            send(theirEnd, "and now?", ourEnd);
            assertThat(receive(ourEnd)).isEqualTo("and now?");
            assertThatThrownBy(() -> send(ourEnd, "leak", theirEnd)).isInstanceOf(IOException.class);

            send(theirEnd, "to itself", theirEnd);
            assertThat(receive(theirEnd)).as("the first datagram to arrive").isEqualTo("to itself");
        }
    }

    @Test
    void later_inbound_connections_get_replies() throws IOException {
        applyKillSwitch();
        try (ServerSocket server = lab.node.inside(() -> new ServerSocket(6000, 1, address("192.0.2.1")));
                Socket clientSocket =
                        lab.outside.inside(() -> new Socket(address("192.0.2.1"), 6000, address("192.0.2.2"), 0));
                Socket accepted = server.accept()) {
            send(clientSocket, "hello");
            assertThat(receive(accepted)).isEqualTo("hello");
            send(accepted, "welcome");
            assertThat(receive(clientSocket)).isEqualTo("welcome");

            lab.nftables.apply(tunnelOnlyRuleset(List.of()));
            send(accepted, "still there");
            assertThat(receive(clientSocket))
                    .as("another kill switch replaces the first one")
                    .isEqualTo("still there");
        }
        for (String here : List.of("192.0.2.1", "2001:db8:e::1")) {
            assertThat(lab.outside.inside(() -> address(here).isReachable(MILLISECONDS)))
                    .as("a ping to " + here)
                    .isTrue();
        }
    }

    private void applyKillSwitch() {
        lab.nftables.apply(tunnelOnlyRuleset(
                lab.node.inside(() -> UdpPorts.inUse(Path.of("/"))).stream().toList()));
    }

    private static List<io.culvert.nft.Table> tunnelOnlyRuleset(List<Integer> udpPorts) {
        return KillSwitchRuleset.of(KillSwitchExamples.tunnelOnly(udpPorts));
    }

    private static DatagramSocket socket(TestNamespace namespace, String address) {
        return namespace.inside(() -> {
            DatagramSocket socket = new DatagramSocket(new InetSocketAddress(address(address), 4000));
            socket.setSoTimeout(MILLISECONDS);
            return socket;
        });
    }

    private static void send(DatagramSocket from, String text, DatagramSocket to) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        from.send(new DatagramPacket(bytes, bytes.length, to.getLocalSocketAddress()));
    }

    private static String receive(DatagramSocket socket) throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[64], 64);
        socket.receive(packet);
        return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8);
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String receive(Socket socket) throws IOException {
        if (socket.getSoTimeout() == 0) {
            socket.setSoTimeout(MILLISECONDS);
        }
        byte[] bytes = new byte[64];
        int length = socket.getInputStream().read(bytes);
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }

    private static InetAddress address(String literal) {
        return InetAddress.ofLiteral(literal);
    }
}
