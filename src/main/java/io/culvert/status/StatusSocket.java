package io.culvert.status;

import io.culvert.status.StatusReport.State;
import jakarta.json.Json;
import jakarta.json.JsonReader;
import java.io.IOException;
import java.io.StringReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Where the running chain answers for itself: whoever connects gets one report and the connection's end. Nothing can be
 * ordered here. Only the owner may connect.
 */
public final class StatusSocket implements AutoCloseable {

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
        Files.createDirectories(path.getParent());
        Files.deleteIfExists(path);
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(path));
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        StatusSocket socket = new StatusSocket(path, server);
        Thread.ofPlatform().daemon().name("status").start(() -> socket.answer(report));
        return socket;
    }

    /** Asks the chain that runs here, and says so when none does. */
    public static StatusReport ask(Path path) {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            String text = new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
            try (JsonReader reader = Json.createReader(new StringReader(text))) {
                return StatusReport.fromJson(reader.readObject());
            }
        } catch (IOException _) {
            return stopped("no chain runs here: nobody answers at " + path);
        } catch (RuntimeException _) {
            return stopped("the chain at " + path + " is starting, or its answer was cut short");
        }
    }

    private static StatusReport stopped(String sentence) {
        return new StatusReport(
                State.STOPPED, "", "", Optional.empty(), 0, 0, Map.of(), Map.of(), "", List.of(sentence));
    }

    private void answer(Supplier<StatusReport> report) {
        while (server.isOpen()) {
            try (SocketChannel channel = server.accept()) {
                ByteBuffer bytes =
                        StandardCharsets.UTF_8.encode(report.get().toJson().toString());
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
