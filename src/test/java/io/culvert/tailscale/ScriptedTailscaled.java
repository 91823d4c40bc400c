// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;

/** A fake tailscaled that gives scripted responses over a socket, and records the requests. */
final class ScriptedTailscaled implements AutoCloseable {

    private final ServerSocketChannel server;
    private final Map<String, String> answers = new ConcurrentHashMap<>();
    private final BlockingQueue<String> requests = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> notifications = new LinkedBlockingQueue<>();

    ScriptedTailscaled(Path socket) throws IOException {
        Files.deleteIfExists(socket);
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(socket));
        Thread.ofPlatform().daemon().start(this::serve);
    }

    /** @param request such as {@code GET status} */
    ScriptedTailscaled answer(String request, String json) {
        answers.put(request, json);
        return this;
    }

    /** Accepts this request and never responds. */
    void ignoreRequest(String request) {
        answers.put(request, "");
    }

    void notify(String json) {
        notifications.add(json);
    }

    /** Returns the requests, each as {@code METHOD path body}. */
    BlockingQueue<String> requests() {
        return requests;
    }

    private void serve() {
        while (true) {
            try {
                SocketChannel channel = server.accept();
                Thread.ofVirtual().start(() -> handleConnection(channel));
            } catch (ClosedChannelException _) {
                return;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void handleConnection(SocketChannel channel) {
        try (channel) {
            BufferedReader reader =
                    new BufferedReader(new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8));
            List<String> request = List.of(reader.readLine().split(" ", -1));
            int length = 0;
            for (String line = reader.readLine(); !line.isEmpty(); line = reader.readLine()) {
                if (line.startsWith("Content-Length: ")) {
                    length = Integer.parseInt(line.substring("Content-Length: ".length()));
                }
            }
            char[] body = new char[length];
            for (int read = 0; read < length; read += reader.read(body, read, length - read)) {
                // Until the request is complete.
            }
            String path = request.get(1).replaceFirst("^/localapi/v0/", "");
            String name = request.getFirst() + " " + path.replaceFirst("\\?.*", "");
            requests.add((name + " " + new String(body)).strip());
            if (name.equals("GET watch-ipn-bus")) {
                write(channel, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n");
                while (true) {
                    write(channel, notifications.take() + "\n");
                }
            }
            String answer = answers.get(name);
            if ("".equals(answer)) {
                reader.read(); // Until the client gives up.
                return;
            }
            write(
                    channel,
                    answer == null
                            ? "HTTP/1.0 404 Not Found\r\n\r\n404 page not found"
                            : "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + answer);
        } catch (IOException _) {
            // The client has disconnected.
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static void write(SocketChannel channel, String text) throws IOException {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
