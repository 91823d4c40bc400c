// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

/** A DNS server on loopback with scripted responses over UDP and TCP. */
final class ScriptedServer implements AutoCloseable {

    private static final int MAX_PORT_ATTEMPTS = 20;

    private final List<String> queries = new CopyOnWriteArrayList<>();
    private final DatagramSocket udp;
    private final ServerSocket tcp;
    private final List<Thread> threads;

    /** Gives the same responses over UDP and TCP: none, one or several. */
    ScriptedServer(Function<Message, List<Message>> script) throws IOException {
        this(script, script);
    }

    ScriptedServer(Function<Message, List<Message>> udpScript, Function<Message, List<Message>> tcpScript)
            throws IOException {
        this(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), udpScript, tcpScript);
    }

    /** Listens on another address than loopback; port 0 for an ephemeral port. */
    ScriptedServer(
            InetSocketAddress address,
            Function<Message, List<Message>> udpScript,
            Function<Message, List<Message>> tcpScript)
            throws IOException {
        this(
                address,
                (UdpScript) query -> udpScript.apply(query.message()).stream()
                        .map(reply -> new Datagram(reply, query.peer()))
                        .toList(),
                tcpScript);
    }

    private ScriptedServer(InetSocketAddress address, UdpScript udpScript, Function<Message, List<Message>> tcpScript)
            throws IOException {
        ServerSocket stream = new ServerSocket(address.getPort(), 5, address.getAddress());
        DatagramSocket datagrams = null;
        for (int tries = 1; datagrams == null; tries++) {
            try {
                datagrams = new DatagramSocket(stream.getLocalPort(), address.getAddress());
            } catch (BindException e) {
                // The ephemeral TCP port may be in use for UDP.
                stream.close();
                if (address.getPort() != 0 || tries == MAX_PORT_ATTEMPTS) {
                    throw e;
                }
                stream = new ServerSocket(0, 5, address.getAddress());
            }
        }
        tcp = stream;
        udp = datagrams;
        threads = List.of(
                Thread.ofPlatform().daemon().start(() -> serveUdp(udpScript)),
                Thread.ofPlatform().daemon().start(() -> serveTcp(tcpScript)));
    }

    /**
     * A slow server: over UDP it responds to the first query only, after it has received a number of them from any
     * sockets.
     */
    static ScriptedServer answeringFirstAfter(int received, String... records) throws IOException {
        Queue<Datagram> receivedSoFar = new ArrayDeque<>();
        return new ScriptedServer(
                new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0),
                (UdpScript) datagram -> {
                    receivedSoFar.add(datagram);
                    return receivedSoFar.size() == received
                            ? List.of(new Datagram(
                                    answer(receivedSoFar.element().message(), records),
                                    receivedSoFar.element().peer()))
                            : List.of();
                },
                timeout());
    }

    private record Datagram(Message message, SocketAddress peer) {}

    /** Returns the responses to a query, with their destinations. */
    @FunctionalInterface
    private interface UdpScript {

        List<Datagram> replies(Datagram query);
    }

    InetSocketAddress address() {
        return (InetSocketAddress) udp.getLocalSocketAddress();
    }

    /** Returns the queries in order, such as {@code udp www.example.net.}. */
    List<String> queries() {
        return List.copyOf(queries);
    }

    static Function<Message, List<Message>> always(String... records) {
        return query -> List.of(answer(query, records));
    }

    static Function<Message, List<Message>> timeout() {
        return _ -> List.of();
    }

    /** Returns a positive response; each record as {@code name ttl type data}. */
    static Message answer(Message query, String... records) {
        Message answer = new Message(query.getHeader().getID());
        answer.getHeader().setFlag(Flags.QR);
        answer.getHeader().setFlag(Flags.RA);
        answer.addRecord(query.getQuestion(), Section.QUESTION);
        for (String record : records) {
            answer.addRecord(record(record), Section.ANSWER);
        }
        return answer;
    }

    static Record record(String text) {
        String[] words = text.split(" ", 4);
        try {
            return Record.fromString(
                    Name.fromString(words[0]),
                    Type.value(words[2]),
                    DClass.IN,
                    Long.parseLong(words[1]),
                    words[3],
                    Name.root);
        } catch (IOException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    static DnsQuery query(String name, int type) {
        try {
            return DnsQuery.plain(Name.fromString(name), type);
        } catch (TextParseException e) {
            throw new IllegalArgumentException(name, e);
        }
    }

    private void serveUdp(UdpScript script) {
        DatagramPacket packet = new DatagramPacket(new byte[65535], 65535);
        try {
            while (true) {
                udp.receive(packet);
                Message query = new Message(Arrays.copyOf(packet.getData(), packet.getLength()));
                queries.add("udp " + query.getQuestion().getName());
                for (Datagram reply : script.replies(new Datagram(query, packet.getSocketAddress()))) {
                    byte[] wire = reply.message().toWire();
                    udp.send(new DatagramPacket(wire, wire.length, reply.peer()));
                }
            }
        } catch (IOException _) {
            // Closed.
        }
    }

    private void serveTcp(Function<Message, List<Message>> script) {
        while (!tcp.isClosed()) {
            try (Socket socket = tcp.accept()) {
                DataInputStream in = new DataInputStream(socket.getInputStream());
                Message query = new Message(in.readNBytes(in.readUnsignedShort()));
                queries.add("tcp " + query.getQuestion().getName());
                for (Message reply : script.apply(query)) {
                    byte[] wire = reply.toWire();
                    socket.getOutputStream()
                            .write(ByteBuffer.allocate(2 + wire.length)
                                    .putShort((short) wire.length)
                                    .put(wire)
                                    .array());
                }
            } catch (IOException _) {
                // Closed, or the client has disconnected.
            }
        }
    }

    /** Closes the port before it returns: a socket stays open while a thread still uses it. */
    @Override
    public void close() throws IOException {
        udp.close();
        tcp.close();
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
