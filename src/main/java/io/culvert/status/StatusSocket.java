package io.culvert.status;

import io.culvert.status.StatusReport.State;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringReader;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Where the running chain answers for itself: whoever connects gets one report and the connection's end. Nothing can be
 * ordered here. Only the owner may connect.
 */
public final class StatusSocket implements AutoCloseable {

    /** Longer than a chain may take to answer. */
    private static final Duration PATIENCE = Duration.ofSeconds(15);

    private final Path path;
    private final ServerSocketChannel server;

    private StatusSocket(Path path, ServerSocketChannel server) {
        this.path = path;
        this.server = server;
    }

    /**
     * Starts to answer, on a thread of its own; a socket left by a run that was killed is replaced.
     *
     * @param report reads the state anew at each question; called on that thread
     */
    public static StatusSocket serve(Path path, Supplier<StatusReport> report) throws IOException {
        return serveJson(path, () -> report.get().toJson());
    }

    /** The same, for an answer of any shape. */
    public static StatusSocket serveJson(Path path, Supplier<JsonObject> answer) throws IOException {
        Files.createDirectories(path.getParent());
        Files.deleteIfExists(path);
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(path));
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        StatusSocket socket = new StatusSocket(path, server);
        Thread.ofPlatform().daemon().name("status").start(() -> socket.answer(answer));
        return socket;
    }

    /** Asks whoever answers there; empty where nobody does, or not in time. */
    public static Optional<JsonObject> askJson(Path path) {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path));
                JsonReader reader = Json.createReader(new StringReader(read(channel, PATIENCE)))) {
            return Optional.of(reader.readObject());
        } catch (IOException | RuntimeException _) {
            return Optional.empty();
        }
    }

    /** Asks the chain that runs here, and says so when none does, or one that does not answer. */
    public static StatusReport ask(Path path) {
        return ask(path, PATIENCE);
    }

    static StatusReport ask(Path path, Duration patience) {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            try (JsonReader reader = Json.createReader(new StringReader(read(channel, patience)))) {
                return StatusReport.fromJson(reader.readObject());
            }
        } catch (SocketTimeoutException _) {
            return without(State.UNRESPONSIVE, "the chain at " + path + " does not answer");
        } catch (IOException _) {
            return without(State.STOPPED, "no chain runs here: nobody answers at " + path);
        } catch (RuntimeException _) {
            return without(State.UNRESPONSIVE, "the chain at " + path + " is starting, or its answer was cut short");
        }
    }

    private static String read(SocketChannel channel, Duration patience) throws IOException {
        long deadline = System.nanoTime() + patience.toNanos();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        ByteBuffer part = ByteBuffer.allocate(8192);
        try (Selector selector = Selector.open()) {
            channel.configureBlocking(false).register(selector, SelectionKey.OP_READ);
            while (true) {
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (left <= 0 || selector.select(left) == 0) {
                    throw new SocketTimeoutException("no answer in " + patience);
                }
                selector.selectedKeys().clear();
                if (channel.read(part) < 0) {
                    return all.toString(StandardCharsets.UTF_8);
                }
                all.write(part.array(), 0, part.position());
                part.clear();
            }
        }
    }

    private static StatusReport without(State state, String sentence) {
        return new StatusReport(state, "", "", Optional.empty(), 0, 0, Map.of(), Map.of(), "", List.of(sentence));
    }

    private void answer(Supplier<JsonObject> answer) {
        while (server.isOpen()) {
            try (SocketChannel channel = server.accept()) {
                ByteBuffer bytes = StandardCharsets.UTF_8.encode(answer.get().toString());
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
            } catch (IOException | RuntimeException _) {
                // The asker went away, the chain had no answer in time, or we are closing: the loop's condition tells.
            }
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        Files.deleteIfExists(path);
    }
}
