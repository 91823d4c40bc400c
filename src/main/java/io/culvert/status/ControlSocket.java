// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import jakarta.json.Json;
import jakarta.json.JsonException;
import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import java.io.IOException;
import java.io.StringReader;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import jdk.net.ExtendedSocketOptions;

/**
 * The control server of a running program: one request and one response per connection, each a line of JSON. Only the user of
 * the program is served: the mode of the socket's file admits no other, and a client that could connect before the mode was set
 * is recognized by its credentials.
 */
public final class ControlSocket implements AutoCloseable {

    /** How long a client may take to send its request; a client of Culvert sends it at once. */
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);

    private final Path path;
    private final ServerSocketChannel server;

    private ControlSocket(Path path, ServerSocketChannel server) {
        this.path = path;
        this.server = server;
    }

    /** A request whose client waits for the response; closing it without one ends the connection. */
    public record PendingRequest(JsonObject body, SocketChannel channel) implements AutoCloseable {

        public void respond(JsonObject response) {
            try (channel) {
                OwnerSocket.write(channel, response + "\n");
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
     * @param handler called for each request, on a thread of its own
     */
    public static ControlSocket listen(Path path, Consumer<PendingRequest> handler) throws IOException {
        ServerSocketChannel server = OwnerSocket.listen(path);
        ControlSocket controlSocket = new ControlSocket(path, server);
        Thread.ofPlatform().daemon().name("control").start(() -> controlSocket.acceptRequests(handler));
        return controlSocket;
    }

    private void acceptRequests(Consumer<PendingRequest> handler) {
        while (server.isOpen()) {
            try {
                SocketChannel channel = server.accept();
                if (isOfSameUser(channel)) {
                    // A client that sends nothing keeps no other one waiting.
                    Thread.ofPlatform().daemon().name("control request").start(() -> receive(channel, handler));
                } else {
                    channel.close();
                }
            } catch (AsynchronousCloseException _) {
                return;
            } catch (ClosedChannelException _) {
                return;
            } catch (IOException _) {
                // The client has disconnected.
            }
        }
    }

    private static void receive(SocketChannel channel, Consumer<PendingRequest> handler) {
        try {
            handler.accept(new PendingRequest(parse(OwnerSocket.readLine(channel, REQUEST_TIMEOUT)), channel));
        } catch (IOException | JsonException _) {
            // It has disconnected, sent nothing in time, or sent an invalid request. Only this user is served, so it is
            // another version of Culvert.
            new PendingRequest(JsonValue.EMPTY_JSON_OBJECT, channel).close();
        }
    }

    private boolean isOfSameUser(SocketChannel channel) throws IOException {
        return channel.getOption(ExtendedSocketOptions.SO_PEERCRED)
                .user()
                .getName()
                .equals(Files.getOwner(path).getName());
    }

    /**
     * Sends a request.
     *
     * @return the response; empty if no program serves the socket, or it is about to exit
     * @throws SocketTimeoutException if it does not respond in time
     */
    public static Optional<JsonObject> send(Path path, JsonObject body, Duration timeout) throws IOException {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            OwnerSocket.write(channel, body + "\n");
            String response = OwnerSocket.readLine(channel, timeout);
            return response.isEmpty() ? Optional.empty() : Optional.of(parse(response));
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
