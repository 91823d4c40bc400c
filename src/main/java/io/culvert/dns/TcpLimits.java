// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import java.time.Duration;

/**
 * The limits of clients that use TCP.
 *
 * @param connections the maximum of all clients together
 * @param connectionsPerClient the maximum of one client
 * @param pipelined the maximum of queries in flight per connection; further ones are not read meanwhile
 * @param messageTimeout the time that a complete message may take, in either direction
 * @param idleTimeout the time that a connection may wait for its next query; RFC 7766 section 6.2.3 recommends some seconds
 */
record TcpLimits(
        int connections, int connectionsPerClient, int pipelined, Duration messageTimeout, Duration idleTimeout) {

    /** The largest query, by UDP too. One question with all EDNS options has some hundred bytes. */
    static final int MAX_QUERY_BYTES = 4096;

    static final TcpLimits DEFAULT = new TcpLimits(256, 128, 16, Duration.ofSeconds(5), Duration.ofSeconds(10));
}
