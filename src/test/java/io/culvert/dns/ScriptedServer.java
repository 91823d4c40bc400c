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

    private static final int PORTS_TRIED = 20;

    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final DatagramSocket udp;
    private final ServerSocket tcp;
    private final List<Thread> serving;

    /** Gives the same responses over UDP and TCP: none, one or several. */
    ScriptedServer(Function<Message, List<Message>> script) throws IOException {
        this(script, script);
    }

    ScriptedServer(Function<Message, List<Message>> overUdp, Function<Message, List<Message>> overTcp)
            throws IOException {
        this(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), overUdp, overTcp);
    }

    /** Listens on another address than loopback; port 0 for an ephemeral port. */
    ScriptedServer(
            InetSocketAddress where, Function<Message, List<Message>> overUdp, Function<Message, List<Message>> overTcp)
            throws IOException {
        this(
                where,
                (OverUdp) query -> overUdp.apply(query.message()).stream()
                        .map(reply -> new Datagram(reply, query.peer()))
                        .toList(),
                overTcp);
    }

    private ScriptedServer(InetSocketAddress where, OverUdp overUdp, Function<Message, List<Message>> overTcp)
            throws IOException {
        ServerSocket stream = new ServerSocket(where.getPort(), 5, where.getAddress());
        DatagramSocket datagrams = null;
        for (int tries = 1; datagrams == null; tries++) {
            try {
                datagrams = new DatagramSocket(stream.getLocalPort(), where.getAddress());
            } catch (BindException e) {
                // The ephemeral TCP port may be in use for UDP.
                stream.close();
                if (where.getPort() != 0 || tries == PORTS_TRIED) {
                    throw e;
                }
                stream = new ServerSocket(0, 5, where.getAddress());
            }
        }
        tcp = stream;
        udp = datagrams;
        serving = List.of(
                Thread.ofPlatform().daemon().start(() -> serveUdp(overUdp)),
                Thread.ofPlatform().daemon().start(() -> serveTcp(overTcp)));
    }

    /**
     * A slow server: over UDP it answers only the first query, after it has received a number of them from any
     * sockets.
     */
    static ScriptedServer answeringTheFirst(int received, String... records) throws IOException {
        Queue<Datagram> held = new ArrayDeque<>();
        return new ScriptedServer(
                new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0),
                (OverUdp) datagram -> {
                    held.add(datagram);
                    return held.size() == received
                            ? List.of(new Datagram(
                                    answer(held.element().message(), records),
                                    held.element().peer()))
                            : List.of();
                },
                silence());
    }

    private record Datagram(Message message, SocketAddress peer) {}

    /** Returns the responses to a query, with their destinations. */
    @FunctionalInterface
    private interface OverUdp {

        List<Datagram> replies(Datagram query);
    }

    InetSocketAddress address() {
        return (InetSocketAddress) udp.getLocalSocketAddress();
    }

    /** Returns the queries in order, such as {@code udp www.example.net.}. */
    List<String> asked() {
        return List.copyOf(asked);
    }

    static Function<Message, List<Message>> always(String... records) {
        return query -> List.of(answer(query, records));
    }

    static Function<Message, List<Message>> silence() {
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

    static Question question(String name, int type) {
        try {
            return Question.plain(Name.fromString(name), type);
        } catch (TextParseException e) {
            throw new IllegalArgumentException(name, e);
        }
    }

    private void serveUdp(OverUdp script) {
        DatagramPacket packet = new DatagramPacket(new byte[65535], 65535);
        try {
            while (true) {
                udp.receive(packet);
                Message query = new Message(Arrays.copyOf(packet.getData(), packet.getLength()));
                asked.add("udp " + query.getQuestion().getName());
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
                asked.add("tcp " + query.getQuestion().getName());
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
            for (Thread thread : serving) {
                thread.join();
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
