package io.culvert.mesh.tailscale;

import jakarta.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/** A connection to tailscaled's notification bus: one JSON object per line, until tailscaled exits. */
record BusReader(SocketChannel channel, BufferedReader lines) implements AutoCloseable {

    /** Waits for the next notification; empty when the connection has closed. */
    Optional<Notice> next() throws IOException {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (!line.isBlank()) {
                JsonObject json = LocalApi.parse(line);
                return Optional.of(Notice.of(json));
            }
        }
        return Optional.empty();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
