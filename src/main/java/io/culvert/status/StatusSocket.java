// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import io.culvert.status.StatusReport.State;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonReader;
import java.io.IOException;
import java.io.StringReader;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The Unix socket on which a running exit node serves its status: a client that connects receives one report, and the
 * connection is closed. It accepts no commands. Only the owner may connect.
 */
public final class StatusSocket implements AutoCloseable {

    /** Longer than a running exit node may take to respond. */
    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    private final Path path;
    private final ServerSocketChannel server;

    private StatusSocket(Path path, ServerSocketChannel server) {
        this.path = path;
        this.server = server;
    }

    /**
     * Starts to serve, on a thread of its own; a socket left by a run that was killed is replaced.
     *
     * @param report reads the current state for each request; called on that thread
     */
    public static StatusSocket serve(Path path, Supplier<StatusReport> report) throws IOException {
        return serveJson(path, () -> report.get().toJson());
    }

    /** Does the same with any JSON object. */
    public static StatusSocket serveJson(Path path, Supplier<JsonObject> response) throws IOException {
        ServerSocketChannel server = OwnerSocket.listen(path);
        StatusSocket socket = new StatusSocket(path, server);
        Thread.ofPlatform().daemon().name("status").start(() -> socket.serveClients(response));
        return socket;
    }

    /** Queries the socket; empty where no process serves it, or does not respond in time. */
    public static Optional<JsonObject> queryJson(Path path) {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path));
                JsonReader reader = Json.createReader(new StringReader(OwnerSocket.read(channel, TIMEOUT)))) {
            return Optional.of(reader.readObject());
        } catch (IOException | RuntimeException _) {
            return Optional.empty();
        }
    }

    /**
     * Returns the status of the exit node that is running here; stopped where none is, unresponsive where it does not
     * respond.
     */
    public static StatusReport query(Path path) {
        return query(path, TIMEOUT);
    }

    static StatusReport query(Path path, Duration timeout) {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            try (JsonReader reader = Json.createReader(new StringReader(OwnerSocket.read(channel, timeout)))) {
                return StatusReport.fromJson(reader.readObject());
            }
        } catch (SocketTimeoutException _) {
            return emptyReport(State.UNRESPONSIVE, "the exit node at " + path + " does not respond");
        } catch (IOException _) {
            return emptyReport(State.STOPPED, "no exit node is running here: nothing listens on " + path);
        } catch (RuntimeException _) {
            return emptyReport(
                    State.UNRESPONSIVE, "the exit node at " + path + " is starting, or its response was truncated");
        }
    }

    private static StatusReport emptyReport(State state, String sentence) {
        return new StatusReport(
                state,
                "",
                "",
                false,
                "",
                Optional.empty(),
                0,
                0,
                Map.of(),
                Map.of(),
                "",
                Optional.empty(),
                RuntimeFacts.NONE,
                ConfigurationState.NONE,
                List.of(sentence));
    }

    private void serveClients(Supplier<JsonObject> response) {
        while (server.isOpen()) {
            try (SocketChannel channel = server.accept()) {
                OwnerSocket.write(channel, response.get().toString());
            } catch (IOException | RuntimeException _) {
                // The client disconnected, there was no report in time, or the socket is being closed, which ends the
                // loop.
            }
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        Files.deleteIfExists(path);
    }
}
