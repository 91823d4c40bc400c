package io.culvert.confinement;

import jakarta.json.Json;
import jakarta.json.JsonException;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.StringReader;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/** The control server of a namespace daemon: one request and one response per connection, each a line of JSON. */
final class Control implements AutoCloseable {

    private final Path path;
    private final ServerSocketChannel server;

    private Control(Path path, ServerSocketChannel server) {
        this.path = path;
        this.server = server;
    }

    /** A request whose client waits for the response; closing it without one ends the connection. */
    record Asked(JsonObject question, SocketChannel channel) implements AutoCloseable {

        void answer(JsonObject answer) {
            try (channel) {
                channel.write(ByteBuffer.wrap((answer + "\n").getBytes(StandardCharsets.UTF_8)));
            } catch (IOException _) {
                // The client has closed the connection.
            }
        }

        @Override
        public void close() {
            try {
                channel.close();
            } catch (IOException _) {
                // It is closed already.
            }
        }
    }

    /**
     * Starts the server.
     *
     * @param asked is called for each request, on a thread of its own
     */
    static Control listen(Path path, Consumer<Asked> asked) throws IOException {
        Files.deleteIfExists(path);
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(path));
        Control control = new Control(path, server);
        Thread.ofPlatform().daemon().name("control").start(() -> control.serve(asked));
        return control;
    }

    private void serve(Consumer<Asked> asked) {
        while (server.isOpen()) {
            try {
                SocketChannel channel = server.accept();
                JsonObject question = parse(line(channel));
                asked.accept(new Asked(question, channel));
            } catch (AsynchronousCloseException _) {
                return;
            } catch (ClosedChannelException _) {
                return;
            } catch (IOException | JsonException _) {
                // The client has gone, or sent an invalid request. Only this user can access the directory, so the
                // client is another version of Culvert.
            }
        }
    }

    /**
     * Sends a request.
     *
     * @return the response; empty if no daemon runs, or it is about to exit
     */
    static Optional<JsonObject> ask(Path path, JsonObject question) throws IOException {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            channel.write(ByteBuffer.wrap((question + "\n").getBytes(StandardCharsets.UTF_8)));
            String answer = line(channel);
            return answer.isEmpty() ? Optional.empty() : Optional.of(parse(answer));
        } catch (ConnectException | NoSuchFileException _) {
            return Optional.empty();
        } catch (IOException e) {
            if (Files.exists(path)
                    && !"Broken pipe".equals(e.getMessage())
                    && !"Connection reset".equals(e.getMessage())) {
                throw e;
            }
            return Optional.empty();
        }
    }

    private static String line(SocketChannel channel) throws IOException {
        var reader = new java.io.BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
        String line = reader.readLine();
        return line == null ? "" : line;
    }

    private static JsonObject parse(String text) {
        try (var reader = Json.createReader(new StringReader(text))) {
            return reader.readObject();
        }
    }

    /** Stops the server. */
    @Override
    public void close() {
        try {
            server.close();
            Files.deleteIfExists(path);
        } catch (IOException _) {
            // A socket file without a server has no effect.
        }
    }
}
