package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.ip.Transport;
import io.culvert.linux.TestNamespace;
import io.culvert.network.UdpPorts;
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
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Connections from before the kill switch of a tunnel without a mesh end: with the LAN, and with the internet if a route in main
 * leads there outside the tunnel.
 */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class EarlierConnectionsTest {

    private static final int MILLISECONDS = 5000;
    private static final int SILENCE = 300;

    private final GuardLab lab = new GuardLab();

    @AfterEach
    void leave() {
        lab.close();
    }

    static Stream<Arguments> flows() {
        return Stream.of(Transport.values())
                .flatMap(transport -> Stream.of("192.0.2.2", "2001:db8:e::2", "203.0.113.7", "2001:db8:7::7")
                        .flatMap(peer -> Stream.of(true, false).map(ours -> Arguments.of(transport, peer, ours))));
    }

    /** @param ours whether this machine is the initiator */
    @ParameterizedTest
    @MethodSource("flows")
    void gets_no_reply_though_the_other_side_speaks_first_afterwards(Transport transport, String peer, boolean ours)
            throws IOException {
        String here = peer.contains(":") ? "2001:db8:e::1" : "192.0.2.1";
        if (transport == Transport.TCP) {
            overTcp(here, peer, ours);
        } else {
            overUdp(here, peer, ours);
        }
    }

    private void overTcp(String here, String peer, boolean ours) throws IOException {
        TestNamespace beginner = ours ? lab.node : lab.outside;
        TestNamespace listener = ours ? lab.outside : lab.node;
        try (ServerSocket server = listener.inside(() -> new ServerSocket(6000, 1, address(ours ? peer : here)));
                Socket began = beginner.inside(
                        () -> new Socket(address(ours ? peer : here), 6000, address(ours ? here : peer), 0));
                Socket accepted = server.accept()) {
            Socket ourEnd = ours ? began : accepted;
            Socket theirEnd = ours ? accepted : began;
            say(ourEnd, "before");
            assertThat(heard(theirEnd)).as("the observer sees what passes").isEqualTo("before");
            say(theirEnd, "before");
            assertThat(heard(ourEnd)).isEqualTo("before");

            guard();
            say(theirEnd, "and now?");
            assertThat(heard(ourEnd)).as("inbound packets are not restricted").isEqualTo("and now?");
            say(ourEnd, "leak");

            theirEnd.setSoTimeout(SILENCE);
            assertThatThrownBy(() -> heard(theirEnd)).isInstanceOf(SocketTimeoutException.class);
            assertThat(lab.count("rejected on the uplink")).isPositive();
        }
    }

    private void overUdp(String here, String peer, boolean ours) throws IOException {
        try (DatagramSocket ourEnd = socket(lab.node, here);
                DatagramSocket theirEnd = socket(lab.outside, peer)) {
            DatagramSocket first = ours ? ourEnd : theirEnd;
            DatagramSocket second = ours ? theirEnd : ourEnd;
            say(first, "before", second);
            assertThat(heard(second)).isEqualTo("before");
            say(second, "before", first);
            assertThat(heard(first)).isEqualTo("before");

            guard();
            say(theirEnd, "and now?", ourEnd);
            assertThat(heard(ourEnd)).isEqualTo("and now?");
            assertThatThrownBy(() -> say(ourEnd, "leak", theirEnd)).isInstanceOf(IOException.class);

            say(theirEnd, "to itself", theirEnd);
            assertThat(heard(theirEnd)).as("the first datagram to arrive").isEqualTo("to itself");
        }
    }

    @Test
    void what_begins_afterwards_is_replied_to() throws IOException {
        guard();
        try (ServerSocket server = lab.node.inside(() -> new ServerSocket(6000, 1, address("192.0.2.1")));
                Socket began =
                        lab.outside.inside(() -> new Socket(address("192.0.2.1"), 6000, address("192.0.2.2"), 0));
                Socket accepted = server.accept()) {
            say(began, "hello");
            assertThat(heard(accepted)).isEqualTo("hello");
            say(accepted, "welcome");
            assertThat(heard(began)).isEqualTo("welcome");

            lab.nftables.apply(guarded(List.of()));
            say(accepted, "still there");
            assertThat(heard(began))
                    .as("another kill switch replaces the first one")
                    .isEqualTo("still there");
        }
        for (String here : List.of("192.0.2.1", "2001:db8:e::1")) {
            assertThat(lab.outside.inside(() -> address(here).isReachable(MILLISECONDS)))
                    .as("a ping to " + here)
                    .isTrue();
        }
    }

    private void guard() {
        lab.nftables.apply(guarded(
                lab.node.inside(() -> UdpPorts.inUse(Path.of("/"))).stream().toList()));
    }

    private static List<io.culvert.nft.Table> guarded(List<Integer> udpPorts) {
        return GuardRuleset.of(GuardExamples.tunnelOnly(udpPorts));
    }

    private static DatagramSocket socket(TestNamespace namespace, String address) {
        return namespace.inside(() -> {
            DatagramSocket socket = new DatagramSocket(new InetSocketAddress(address(address), 4000));
            socket.setSoTimeout(MILLISECONDS);
            return socket;
        });
    }

    private static void say(DatagramSocket from, String text, DatagramSocket to) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        from.send(new DatagramPacket(bytes, bytes.length, to.getLocalSocketAddress()));
    }

    private static String heard(DatagramSocket socket) throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[64], 64);
        socket.receive(packet);
        return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8);
    }

    private static void say(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String heard(Socket socket) throws IOException {
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
