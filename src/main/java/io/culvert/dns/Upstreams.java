package io.culvert.dns;

import io.culvert.linux.Egress;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * Where questions are passed on to.
 *
 * @param servers in the order in which they are asked
 * @param egress how the questions leave
 */
public record Upstreams(List<InetSocketAddress> servers, Egress egress) {

    /** Nobody to ask: every question fails. */
    public static final Upstreams NONE = new Upstreams(List.of(), Egress.ANY);

    public Upstreams {
        servers = List.copyOf(servers);
    }
}
