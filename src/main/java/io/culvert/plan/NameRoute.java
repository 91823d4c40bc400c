package io.culvert.plan;

import java.net.InetAddress;
import java.util.List;

/** Names for which others than the tunnel's servers are asked. A suffix has no final dot, and all below it is meant. */
public sealed interface NameRoute {

    /** Through another link than the tunnel's. */
    record Through(String suffix, List<InetAddress> servers, String link) implements NameRoute {

        public Through {
            servers = List.copyOf(servers);
        }
    }

    /** Beside the tunnel: the machine's own resolvers, which the guard lets nobody else ask. */
    record Beside(String suffix) implements NameRoute {}

    /** Names without a dot, of other containers: the machine's own resolvers as well. */
    record Unqualified() implements NameRoute {}
}
