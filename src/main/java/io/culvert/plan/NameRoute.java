package io.culvert.plan;

import java.net.InetAddress;
import java.util.List;

/** Names for which others than the tunnel's servers are asked: a suffix, which is meant with all that is below it. */
public sealed interface NameRoute {

    /** Without a final dot. */
    String suffix();

    /** Through another link than the tunnel's. */
    record Through(String suffix, List<InetAddress> servers, String link) implements NameRoute {

        public Through {
            servers = List.copyOf(servers);
        }
    }

    /** Beside the tunnel: the machine's own resolvers, which the guard lets nobody else ask. */
    record Beside(String suffix) implements NameRoute {}
}
