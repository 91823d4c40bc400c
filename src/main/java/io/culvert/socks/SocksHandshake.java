// SPDX-License-Identifier: Apache-2.0
package io.culvert.socks;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;

/** The first message of SOCKS 5 and its response (RFC 1928 section 3), to find out whether a server responds. */
public final class SocksHandshake {

    /** Version 5, and one method: none. */
    private static final byte[] GREETING = {5, 1, 0};

    private SocksHandshake() {}

    /**
     * Connects as a client does. Any response counts, also that the server ends the connection, as it does with clients
     * that may not use it; and so does a port on which nothing listens, as the exit of a program is noticed elsewhere.
     *
     * @throws IOException if the server does not respond within the timeout
     */
    public static void check(InetSocketAddress server, Duration timeout) throws IOException {
        try (Socket socket = new Socket()) {
            int millis = Math.toIntExact(timeout.toMillis());
            socket.connect(server, millis);
            socket.setSoTimeout(millis);
            socket.getOutputStream().write(GREETING);
            int _ = socket.getInputStream().read();
        } catch (SocketTimeoutException e) {
            throw new IOException("no response to a SOCKS handshake within " + timeout.toSeconds() + " s", e);
        } catch (ConnectException _) {
            // As described above.
        } catch (SocketException _) {
            // The server has ended the connection.
        }
    }
}
