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

/** How a keeper is talked to: one question and one answer a connection, a line of JSON each. */
final class Control implements AutoCloseable {

    private final Path path;
    private final ServerSocketChannel server;

    private Control(Path path, ServerSocketChannel server) {
        this.path = path;
        this.server = server;
    }

    /** Somebody who has asked and waits; closing without an answer sends him away. */
    record Asked(JsonObject question, SocketChannel channel) implements AutoCloseable {

        void answer(JsonObject answer) {
            try (channel) {
                channel.write(ByteBuffer.wrap((answer + "\n").getBytes(StandardCharsets.UTF_8)));
            } catch (IOException _) {
                // He does not wait any more.
            }
        }

        @Override
        public void close() {
            try {
                channel.close();
            } catch (IOException _) {
                // Gone is gone.
            }
        }
    }

    /** @param asked is called on a thread of its own */
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
                // Somebody who went away, or talks nonsense: the directory is ours alone, so it is our own older or
                // newer
                // self.
            }
        }
    }

    /**
     * @return the answer; empty where nobody keeps it, or he is about to go
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

    /** From now on nobody listens. */
    @Override
    public void close() {
        try {
            server.close();
            Files.deleteIfExists(path);
        } catch (IOException _) {
            // A file that nobody listens behind is as good as none.
        }
    }
}
