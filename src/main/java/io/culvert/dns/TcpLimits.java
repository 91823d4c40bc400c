package io.culvert.dns;

import java.time.Duration;

/**
 * What clients may claim of a server that answers by TCP.
 *
 * @param connections of all clients together
 * @param connectionsOfOne of one client
 * @param pipelined queries that one connection may wait for; further ones are not read meanwhile
 * @param message the time that a whole message may take, in either direction
 * @param idle the time that a connection may wait for its next query; RFC 7766 section 6.2.3 asks for some seconds
 */
record TcpLimits(int connections, int connectionsOfOne, int pipelined, Duration message, Duration idle) {

    /** Of any client, by UDP too. One question with all that EDNS may add to it has some hundred bytes. */
    static final int LARGEST_QUERY = 4096;

    static final TcpLimits USUAL = new TcpLimits(256, 128, 16, Duration.ofSeconds(5), Duration.ofSeconds(10));
}
