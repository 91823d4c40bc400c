// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.linux.Egress;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

/** Clients that send too many queries, by mistake or deliberately, and the other clients meanwhile. */
class DnsStubLoadTest {

    private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");

    private final DnsStub stub = new DnsStub(Timeouts.DEFAULT, System::nanoTime);
    private final InetSocketAddress address = stub.listen(new InetSocketAddress(LOOPBACK, 0));

    /** Responds to every query except for names below silent.example. */
    @SuppressWarnings("NullAway.Init")
    private ScriptedServer server;

    @BeforeEach
    void startServer() throws IOException {
        Name unanswered = Name.fromString("silent.example.");
        server = new ScriptedServer(query -> query.getQuestion().getName().subdomain(unanswered)
                ? List.of()
                : List.of(ScriptedServer.answer(query, query.getQuestion().getName() + " 60 A 192.0.2.80")));
        stub.useUpstreams(new Upstreams(List.of(server.address()), Egress.ANY), List.of());
    }

    @AfterEach
    void close() throws IOException {
        stub.close();
        server.close();
    }

    @Test
    void unanswered_queries_of_one_client_do_not_delay_other_clients() throws IOException {
        try (DatagramSocket floodingClient = new DatagramSocket();
                DatagramSocket other = new DatagramSocket()) {
            other.setSoTimeout(2_000);
            for (int i = 0; i < 1000; i++) {
                send(floodingClient, query("name" + i + ".silent.example."));
                if (i % 20 == 0) {
                    Message query = query("name" + i + ".example.");
                    send(other, query);
                    assertThat(receive(other).getHeader().getID())
                            .isEqualTo(query.getHeader().getID());
                }
            }
        }
    }

    @Test
    void a_repeated_unanswered_query_does_not_delay_others() throws IOException {
        try (DatagramSocket floodingClient = new DatagramSocket();
                DatagramSocket other = new DatagramSocket()) {
            other.setSoTimeout(2_000);
            for (int i = 0; i < 1000; i++) {
                send(floodingClient, query("same.silent.example."));
                if (i % 20 == 0) {
                    Message query = query("name" + i + ".example.");
                    send(other, query);
                    assertThat(receive(other).getHeader().getID())
                            .isEqualTo(query.getHeader().getID());
                }
            }
        }
    }

    @Test
    void the_longest_idle_connection_is_closed_first() throws IOException {
        List<Socket> idle = new ArrayList<>();
        try {
            Socket first = connect(idle);
            for (int i = 0; i < 299; i++) {
                connect(idle);
            }
            try (Socket newClient = new Socket(address.getAddress(), address.getPort())) {
                newClient.setSoTimeout(5_000);
                send(newClient.getOutputStream(), query("www.example."));
                assertThat(receive(newClient).getRcode()).isEqualTo(Rcode.NOERROR);
            }
            first.setSoTimeout(5_000);
            assertThat(first.getInputStream().read()).isEqualTo(-1);
            Socket last = idle.getLast();
            last.setSoTimeout(5_000);
            send(last.getOutputStream(), query("www.example."));
            assertThat(receive(last).getRcode()).isEqualTo(Rcode.NOERROR);
        } finally {
            for (Socket socket : idle) {
                socket.close();
            }
        }
    }

    @Test
    void an_incomplete_message_closes_its_connection() throws IOException {
        TcpLimits limits = new TcpLimits(4, 4, 2, Duration.ofMillis(300), Duration.ofSeconds(30));
        try (TcpService tcp =
                TcpService.open(new InetSocketAddress(LOOPBACK, 0), (_, _, _) -> Optional.empty(), limits)) {
            Thread serving = Thread.ofPlatform().daemon().start(() -> {
                try {
                    tcp.serve();
                } catch (IOException _) {
                    // Closed.
                }
            });
            try (Socket slow = new Socket(LOOPBACK, tcp.port())) {
                slow.setSoTimeout(5_000);
                slow.getOutputStream().write(new byte[] {0, 40, 1, 2, 3});
                assertThat(slow.getInputStream().read()).isEqualTo(-1);
            }
            assertThat(serving.isAlive()).isTrue();
        }
    }

    @Test
    void two_hundred_pipelined_queries_are_all_answered_with_their_ids() throws IOException {
        try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
            socket.setSoTimeout(10_000);
            Set<Integer> sentIds = new HashSet<>();
            for (int i = 0; i < 200; i++) {
                Message query = query("name" + i + ".example.");
                query.getHeader().setID(i);
                sentIds.add(i);
                send(socket.getOutputStream(), query);
            }
            socket.shutdownOutput();
            Set<Integer> answeredIds = new HashSet<>();
            for (int i = 0; i < 200; i++) {
                answeredIds.add(receive(socket).getHeader().getID());
            }
            assertThat(answeredIds).isEqualTo(sentIds);
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
    }

    /** A client that announces such a length would fill memory without a query. */
    @Test
    void a_message_larger_than_any_query_closes_its_connection() throws IOException {
        try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
            socket.setSoTimeout(5_000);
            socket.getOutputStream().write(new byte[] {(byte) 0xff, (byte) 0xff, 1, 2, 3});
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void clients_that_send_byte_by_byte_or_half_close_do_not_delay_others() throws IOException {
        List<Socket> slow = new ArrayList<>();
        try {
            for (int i = 0; i < 100; i++) {
                Socket socket = connect(slow);
                if (i % 2 == 0) {
                    socket.shutdownOutput();
                }
            }
            Message query = query("www.example.");
            byte[] wire = query.toWire();
            byte[] whole = ByteBuffer.allocate(2 + wire.length)
                    .putShort((short) wire.length)
                    .put(wire)
                    .array();
            for (int i = 0; i < whole.length; i++) {
                for (int n = 1; n < slow.size(); n += 2) {
                    slow.get(n).getOutputStream().write(whole, i, 1);
                }
                try (Socket other = new Socket(address.getAddress(), address.getPort())) {
                    other.setSoTimeout(5_000);
                    send(other.getOutputStream(), query("other" + i + ".example."));
                    assertThat(receive(other).getRcode()).isEqualTo(Rcode.NOERROR);
                }
            }
            for (int n = 1; n < slow.size(); n += 2) {
                slow.get(n).setSoTimeout(5_000);
                assertThat(receive(slow.get(n)).getRcode()).isEqualTo(Rcode.NOERROR);
            }
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
    }

    /**
     * Malformed queries of every kind, by UDP and TCP: none ends the stub, and each gets a correct response or none.
     */
    @Test
    void malformed_messages_do_not_affect_other_clients() throws IOException {
        byte[] header = {0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
        byte[] valid = query("www.example.").toWire();
        List<byte[]> malformed = new ArrayList<>(List.of(
                new byte[0],
                new byte[11],
                header,
                join(header, new byte[] {(byte) 0xc0, 12, 0, 1, 0, 1}),
                join(header, new byte[] {(byte) 0xc0, 0x0e, (byte) 0xc0, 12, 0, 1, 0, 1}),
                join(header, new byte[] {(byte) 0xff, (byte) 0xff, 0, 1, 0, 1}),
                join(header, new byte[] {63, 'a', 0, 0, 1, 0, 1}),
                join(header, new byte[] {0x41, 'a', 0, 0, 1, 0, 1}),
                new byte[4096]));
        for (int length = 0; length < valid.length; length++) {
            malformed.add(Arrays.copyOf(valid, length));
        }
        for (int at = 2; at < valid.length; at++) {
            byte[] changed = valid.clone();
            changed[at] ^= (byte) 0xff;
            malformed.add(changed);
        }
        byte[] name = new byte[260];
        for (int i = 0; i < name.length; i += 2) {
            name[i] = 1;
            name[i + 1] = '.';
        }
        malformed.add(join(header, name));
        byte[] manyQuestions = join(new byte[] {0, 7, 1, 0, 3, (byte) 0xe8, 0, 0, 0, 0, 0, 0}, new byte[0]);
        for (int i = 0; i < 600; i++) {
            manyQuestions = join(manyQuestions, new byte[] {0, 0, 1, 0, 1});
        }
        malformed.add(manyQuestions);
        try (DatagramSocket maliciousClient = new DatagramSocket();
                DatagramSocket other = new DatagramSocket()) {
            other.setSoTimeout(5_000);
            int number = 0;
            for (byte[] message : malformed) {
                maliciousClient.send(new DatagramPacket(message, message.length, address));
                try (Socket tcp = new Socket(address.getAddress(), address.getPort())) {
                    tcp.getOutputStream()
                            .write(ByteBuffer.allocate(2 + message.length)
                                    .putShort((short) message.length)
                                    .put(message)
                                    .array());
                    tcp.shutdownOutput();
                    tcp.setSoTimeout(10_000);
                    tcp.getInputStream().readAllBytes();
                } catch (SocketException _) {
                    // Reset by the stub, with unread data.
                }
                send(other, query("other" + number++ + ".example."));
                assertThat(receive(other).getRcode()).isEqualTo(Rcode.NOERROR);
            }
        }
        assertThat(stub.isListening(LOOPBACK)).isTrue();
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] joined = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, joined, first.length, second.length);
        return joined;
    }

    @Test
    void large_TCP_answers_are_fetched_with_limited_concurrency_and_completely() throws Exception {
        String[] records = IntStream.range(0, 3500)
                .mapToObj(i -> "large.example. 2147483647 A 10.0." + i / 200 + "." + i % 200)
                .toArray(String[]::new);
        server.close();
        server = new ScriptedServer(
                query -> {
                    Message truncated = ScriptedServer.answer(query);
                    truncated.getHeader().setFlag(Flags.TC);
                    return List.of(truncated);
                },
                ScriptedServer.always(records));
        DnsStub stubWithLongTimeouts =
                new DnsStub(new Timeouts(Duration.ofSeconds(20), Duration.ofSeconds(60)), System::nanoTime);
        stubWithLongTimeouts.useUpstreams(new Upstreams(List.of(server.address()), Egress.ANY), List.of());
        InetSocketAddress stubAddress = stubWithLongTimeouts.listen(new InetSocketAddress(LOOPBACK, 0));
        List<Callable<Integer>> queries = IntStream.range(0, 40)
                .<Callable<Integer>>mapToObj(i -> () -> {
                    try (Socket socket = new Socket(stubAddress.getAddress(), stubAddress.getPort())) {
                        socket.setSoTimeout(60_000);
                        send(socket.getOutputStream(), query("n" + i + ".example."));
                        return receive(socket).getSection(Section.ANSWER).size();
                    }
                })
                .toList();
        try (stubWithLongTimeouts;
                ExecutorService clientThreads = Executors.newFixedThreadPool(40)) {
            for (Future<Integer> answer : clientThreads.invokeAll(queries)) {
                assertThat(answer.get()).isEqualTo(3500);
            }
        }
    }

    @Test
    void a_client_that_disconnects_does_not_affect_other_clients() throws IOException {
        for (int round = 0; round < 20; round++) {
            try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
                for (int i = 0; i < 20; i++) {
                    send(socket.getOutputStream(), query("name" + i + ".silent.example."));
                }
                socket.setSoLinger(true, 0);
            }
        }
        try (DatagramSocket other = new DatagramSocket()) {
            other.setSoTimeout(2_000);
            send(other, query("www.example."));
            assertThat(receive(other).getRcode()).isEqualTo(Rcode.NOERROR);
        }
        assertThat(stub.isListening(LOOPBACK)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"0, 512", "512, 512", "100, 512", "900, 900", "1232, 1232", "4096, 1232", "65535, 1232"})
    void an_answer_over_UDP_never_needs_fragmentation(int advertisedSize, int maxLength) throws IOException {
        server.close();
        server = new ScriptedServer(query -> {
            String[] records = new String[150];
            for (int i = 0; i < records.length; i++) {
                records[i] = "large.example. 60 A 192.0.2." + i;
            }
            return List.of(ScriptedServer.answer(query, records));
        });
        stub.useUpstreams(new Upstreams(List.of(server.address()), Egress.ANY), List.of());
        try (DatagramSocket client = new DatagramSocket()) {
            client.setSoTimeout(5_000);
            Message query = query("large.example.");
            if (advertisedSize != 0) {
                query.addRecord(new OPTRecord(advertisedSize, 0, 0), Section.ADDITIONAL);
            }
            send(client, query);
            DatagramPacket packet = new DatagramPacket(new byte[65535], 65535);
            client.receive(packet);
            assertThat(packet.getLength()).isLessThanOrEqualTo(maxLength);
            Message cut = new Message(ByteBuffer.wrap(packet.getData(), 0, packet.getLength()));
            assertThat(cut.getHeader().getFlag(Flags.TC)).isTrue();
        }
    }

    private Socket connect(List<Socket> all) throws IOException {
        Socket socket = new Socket(address.getAddress(), address.getPort());
        all.add(socket);
        return socket;
    }

    private static Message query(String name) throws TextParseException {
        Message query = new Message();
        query.getHeader().setFlag(Flags.RD);
        query.addRecord(Record.newRecord(Name.fromString(name), Type.A, 1), Section.QUESTION);
        return query;
    }

    private void send(DatagramSocket socket, Message query) throws IOException {
        byte[] wire = query.toWire();
        socket.send(new DatagramPacket(wire, wire.length, address));
    }

    private static Message receive(DatagramSocket socket) throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[65535], 65535);
        socket.receive(packet);
        return new Message(ByteBuffer.wrap(packet.getData(), 0, packet.getLength()));
    }

    private static void send(OutputStream out, Message query) throws IOException {
        byte[] wire = query.toWire();
        out.write(ByteBuffer.allocate(2 + wire.length)
                .putShort((short) wire.length)
                .put(wire)
                .array());
    }

    private static Message receive(Socket socket) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        return new Message(in.readNBytes(in.readUnsignedShort()));
    }
}
