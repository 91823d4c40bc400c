// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** What a proxy server's clients send first, to find out whether it responds. */
public enum ProxyProtocol {
    /** The first message of SOCKS 5: version 5, and one method: none (RFC 1928, section 3). */
    SOCKS("a SOCKS handshake", "\5\1\0"),
    /** A request line that leads nowhere: the response is an error (RFC 9112, section 3). */
    HTTP("an HTTP request", "CONNECT\r\n\r\n");

    private final String what;
    private final String request;

    ProxyProtocol(String what, String request) {
        this.what = what;
        this.request = request;
    }

    /**
     * Connects as a client does. Any response counts, also that the server ends the connection, as it does with clients
     * that may not use it; and so does a port on which nothing listens, as the exit of a program is noticed elsewhere.
     *
     * @throws IOException if the server does not respond within the timeout
     */
    public void check(InetSocketAddress server, Duration timeout) throws IOException {
        try (Socket socket = new Socket()) {
            int millis = Math.toIntExact(timeout.toMillis());
            socket.connect(server, millis);
            socket.setSoTimeout(millis);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            int _ = socket.getInputStream().read();
        } catch (SocketTimeoutException e) {
            throw new IOException("no response to " + what + " within " + timeout.toSeconds() + " s", e);
        } catch (ConnectException _) {
            // As described above.
        } catch (SocketException _) {
            // The server has ended the connection.
        }
    }
}
