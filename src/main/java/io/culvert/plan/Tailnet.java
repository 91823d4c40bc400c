package io.culvert.plan;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * The network that a Tailscale node is logged in to, as far as it is known.
 *
 * @param addresses of this node in it
 * @param suffix of its DNS names, such as {@code tailnet.example}, without dots at its ends
 */
public record Tailnet(List<InetAddress> addresses, Optional<String> suffix) {

    public static final Tailnet UNKNOWN = new Tailnet(List.of(), Optional.empty());

    public Tailnet {
        addresses = List.copyOf(addresses);
    }
}
