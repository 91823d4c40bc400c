// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import java.io.IOException;
import java.io.UncheckedIOException;

/** Writes server-sent events (HTML standard, section 9.2) to one client. */
final class EventWriter {

    /** Writes all of a text within the time that a write may take. */
    interface Output {
        void write(String text) throws IOException;
    }

    private final Output output;

    EventWriter(Output output) {
        this.output = output;
    }

    /** @throws UncheckedIOException if the client has disconnected */
    void send(String event, String data) {
        write("event: " + event + "\n" + "data: " + data.replace("\n", "\ndata: ") + "\n\n");
    }

    /** Sends a comment, by which a client that has disconnected is noticed. */
    void keepAlive() {
        write(": \n\n");
    }

    private void write(String text) {
        try {
            output.write(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
