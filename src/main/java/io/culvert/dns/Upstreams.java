// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.linux.Egress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * The upstream servers to which queries are forwarded.
 *
 * @param servers in the order in which they are queried
 * @param egress how the queries leave
 */
public record Upstreams(List<InetSocketAddress> servers, Egress egress) {

    /** No servers: every query fails. */
    public static final Upstreams NONE = new Upstreams(List.of(), Egress.ANY);

    private static final int PORT = 53;

    public Upstreams {
        servers = List.copyOf(servers);
    }

    /** Returns servers on port 53. */
    public static Upstreams of(List<InetAddress> servers, Egress egress) {
        return new Upstreams(
                servers.stream()
                        .map(address -> new InetSocketAddress(address, PORT))
                        .toList(),
                egress);
    }
}
