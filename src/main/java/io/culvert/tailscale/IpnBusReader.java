// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import jakarta.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/** A connection to tailscaled's notification bus: one JSON object per line, until tailscaled exits. */
record IpnBusReader(SocketChannel channel, BufferedReader lines) implements AutoCloseable {

    /** Waits for the next notification; empty when the connection has closed. */
    Optional<IpnNotification> next() throws IOException {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (!line.isBlank()) {
                JsonObject json = LocalApi.parseObject(line);
                return Optional.of(IpnNotification.of(json));
            }
        }
        return Optional.empty();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
