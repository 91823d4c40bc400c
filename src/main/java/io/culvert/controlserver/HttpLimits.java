// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import java.time.Duration;

/**
 * The limits of the clients of the HTTP control server.
 *
 * @param connections of all clients together
 * @param connectionsPerClient of one address; all on loopback are one client
 * @param streams of events at the same time
 * @param requestTimeout for a complete request, from its first byte or from the connection on
 * @param idleTimeout until the next request of a connection
 * @param writeTimeout for each write of a response
 * @param wrongTokenDelay until the response to a wrong token
 * @param lineBytes the longest header line
 * @param headers the number of header lines
 * @param bodyBytes the largest body of a request
 */
public record HttpLimits(
        int connections,
        int connectionsPerClient,
        int streams,
        Duration requestTimeout,
        Duration idleTimeout,
        Duration writeTimeout,
        Duration wrongTokenDelay,
        int lineBytes,
        int headers,
        int bodyBytes) {

    public static final HttpLimits DEFAULT = new HttpLimits(
            64,
            32,
            8,
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ofSeconds(10),
            Duration.ofSeconds(1),
            8192,
            64,
            4096);
}
