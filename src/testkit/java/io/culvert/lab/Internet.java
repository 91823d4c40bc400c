// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Prefix;
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
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;

/** The internet's servers: web and echo server return the client's address, the resolver records its queries. */
public final class Internet implements AutoCloseable {

    private static final int HTTP = 80;
    private static final int ECHO = 7;
    private static final int DNS = 53;

    /** Serves one request; called until the socket is closed. */
    private interface Service {
        void serveOne() throws IOException;
    }

    private final LabNamespace namespace;
    private final List<AutoCloseable> sockets = new ArrayList<>();
    private final List<ReceivedQuery> queries = new CopyOnWriteArrayList<>();
    private final Map<String, List<String>> addressOverrides = new ConcurrentHashMap<>();

    Internet(LabNamespace namespace) {
        this.namespace = namespace;
        try {
            for (String server : List.of(Lab.SERVER_IPV4, Lab.SERVER_IPV6)) {
                http(listen(server, HTTP));
                echo(receive(server, ECHO));
            }
            for (String resolver : List.of(Lab.RESOLVER_IPV4, Lab.RESOLVER_IPV6)) {
                dnsByTcp(listen(resolver, DNS));
                dnsByUdp(receive(resolver, DNS));
            }
        } catch (Exception e) {
            close();
            throw new AssertionError("starting the internet's servers", e);
        }
    }

    public LabNamespace namespace() {
        return namespace;
    }

    /** Returns the queries that the resolver received so far. */
    public List<ReceivedQuery> queries() {
        return List.copyOf(queries);
    }

    /**
     * Sets the IPv4 address of a name, such as {@code moving.example}; of several, each query gets the next one. The
     * TTL of a name that begins with {@code rebind} is 0. A name that begins with {@code pool} has all of them at once,
     * which may be of both families.
     */
    public void setAddresses(String name, String... addresses) {
        addressOverrides.put(name, List.of(addresses));
    }

    private synchronized List<String> nextAddresses(String name) {
        List<String> addresses = addressOverrides.getOrDefault(name, List.of());
        if (name.startsWith("pool")) {
            return addresses;
        }
        if (addresses.size() > 1) {
            List<String> rotated = new ArrayList<>(addresses);
            Collections.rotate(rotated, -1);
            addressOverrides.put(name, rotated);
        }
        return addresses.stream().limit(1).toList();
    }

    private ServerSocket listen(String address, int port) throws Exception {
        ServerSocket socket = namespace.call(() -> new ServerSocket(port, 50, InetAddress.getByName(address)));
        sockets.add(socket);
        return socket;
    }

    private DatagramSocket receive(String address, int port) throws Exception {
        DatagramSocket socket = namespace.call(() -> new DatagramSocket(port, InetAddress.getByName(address)));
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
            // The client has disconnected.
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

    private void dnsByUdp(DatagramSocket socket) {
        serve("DNS over UDP", socket::isClosed, () -> {
            DatagramPacket packet = new DatagramPacket(new byte[4096], 4096);
            socket.receive(packet);
            byte[] query = Arrays.copyOf(packet.getData(), packet.getLength());
            byte[] answer = ReceivedQuery.reply(query, packet.getAddress(), "udp", this::nextAddresses, queries::add);
            socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
        });
    }

    private void dnsByTcp(ServerSocket server) {
        serve("DNS over TCP", server::isClosed, () -> {
            try (Socket socket = server.accept()) {
                socket.setSoTimeout(2000);
                DataInputStream in = new DataInputStream(socket.getInputStream());
                byte[] query = in.readNBytes(in.readUnsignedShort());
                InetAddress sourceAddress = ((InetSocketAddress) socket.getRemoteSocketAddress()).getAddress();
                byte[] answer = ReceivedQuery.reply(query, sourceAddress, "tcp", this::nextAddresses, queries::add);
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
