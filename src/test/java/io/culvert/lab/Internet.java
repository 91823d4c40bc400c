package io.culvert.lab;

import io.culvert.ip.Prefix;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;

/** The servers out there: they tell who asked, and the resolver remembers it. */
public final class Internet implements AutoCloseable {

    private static final int HTTP = 80;
    private static final int ECHO = 7;
    private static final int DNS = 53;

    /** What a listener does with what reaches it, until its socket is closed. */
    private interface Service {
        void serveOne() throws IOException;
    }

    private final Namespace space;
    private final List<AutoCloseable> sockets = new ArrayList<>();
    private final List<DnsQuestion> questions = new CopyOnWriteArrayList<>();
    private final Map<String, List<String>> moved = new ConcurrentHashMap<>();

    Internet(Namespace space) {
        this.space = space;
        try {
            for (String server : List.of(Lab.SERVER_4, Lab.SERVER_6)) {
                http(listen(server, HTTP));
                echo(receive(server, ECHO));
            }
            for (String resolver : List.of(Lab.RESOLVER_4, Lab.RESOLVER_6)) {
                namesByTcp(listen(resolver, DNS));
                namesByUdp(receive(resolver, DNS));
            }
        } catch (Exception e) {
            close();
            throw new AssertionError("starting the internet's servers", e);
        }
    }

    public Namespace space() {
        return space;
    }

    /** What the resolver was asked so far. */
    public List<DnsQuestion> questions() {
        return List.copyOf(questions);
    }

    /**
     * From now on the name, such as {@code moving.example}, stands for this IPv4 address; of several, for each question for the
     * next one. A name that begins with {@code rebind} may not be kept.
     */
    public void point(String name, String... addresses) {
        moved.put(name, List.of(addresses));
    }

    private synchronized Optional<String> moved(String name) {
        List<String> addresses = moved.getOrDefault(name, List.of());
        if (addresses.size() > 1) {
            List<String> turned = new ArrayList<>(addresses);
            Collections.rotate(turned, -1);
            moved.put(name, turned);
        }
        return addresses.stream().findFirst();
    }

    private ServerSocket listen(String address, int port) throws Exception {
        ServerSocket socket = space.call(() -> new ServerSocket(port, 50, InetAddress.getByName(address)));
        sockets.add(socket);
        return socket;
    }

    private DatagramSocket receive(String address, int port) throws Exception {
        DatagramSocket socket = space.call(() -> new DatagramSocket(port, InetAddress.getByName(address)));
        sockets.add(socket);
        return socket;
    }

    private static void serve(String name, BooleanSupplier closed, Service service) {
        Thread.ofPlatform().daemon().name(name).start(() -> {
            for (; ; ) {
                try {
                    service.serveOne();
                } catch (IOException e) {
                    if (closed.getAsBoolean()) {
                        return;
                    }
                }
            }
        });
    }

    private static void http(ServerSocket server) {
        serve("http", server::isClosed, () -> {
            Socket socket = server.accept();
            Thread.ofPlatform().daemon().name("http connection").start(() -> answer(socket));
        });
    }

    private static void answer(Socket connection) {
        try (Socket socket = connection) {
            socket.setSoTimeout(2000);
            InputStream in = socket.getInputStream();
            for (int newlines = 0; newlines < 2; ) {
                int next = in.read();
                if (next < 0) {
                    return;
                }
                newlines = next == '\n' ? newlines + 1 : next == '\r' ? newlines : 0;
            }
            String body = Prefix.text(socket.getInetAddress()) + "\n";
            socket.getOutputStream()
                    .write("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s"
                            .formatted(body.length(), body)
                            .getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            // The asker went away: nothing to tell.
        }
    }

    private static void echo(DatagramSocket socket) {
        serve("echo", socket::isClosed, () -> {
            DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
            socket.receive(packet);
            byte[] answer = Prefix.text(packet.getAddress()).getBytes(StandardCharsets.US_ASCII);
            socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
        });
    }

    private void namesByUdp(DatagramSocket socket) {
        serve("names by UDP", socket::isClosed, () -> {
            DatagramPacket packet = new DatagramPacket(new byte[4096], 4096);
            socket.receive(packet);
            byte[] question = Arrays.copyOf(packet.getData(), packet.getLength());
            byte[] answer = DnsQuestion.answer(question, packet.getAddress(), "udp", this::moved, questions::add);
            socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
        });
    }

    private void namesByTcp(ServerSocket server) {
        serve("names by TCP", server::isClosed, () -> {
            try (Socket socket = server.accept()) {
                socket.setSoTimeout(2000);
                DataInputStream in = new DataInputStream(socket.getInputStream());
                byte[] question = in.readNBytes(in.readUnsignedShort());
                InetAddress asker = ((InetSocketAddress) socket.getRemoteSocketAddress()).getAddress();
                byte[] answer = DnsQuestion.answer(question, asker, "tcp", this::moved, questions::add);
                OutputStream out = socket.getOutputStream();
                out.write(new byte[] {(byte) (answer.length >> 8), (byte) answer.length});
                out.write(answer);
            }
        });
    }

    @Override
    public void close() {
        for (AutoCloseable socket : sockets) {
            try {
                socket.close();
            } catch (Exception e) {
                throw new AssertionError("closing a server", e);
            }
        }
    }
}
