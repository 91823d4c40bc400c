// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.net.Endpoint;
import io.culvert.net.Host;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The current addresses of host names. A name that is not resolved has none.
 *
 * @param addresses of servers and peers
 * @param bypasses of bypasses by name, which are checked more strictly: a forged address would open the kill switch
 */
public record ResolvedNames(Map<Host.Name, List<InetAddress>> addresses, Map<Host.Name, List<InetAddress>> bypasses) {

    public static final ResolvedNames NONE = new ResolvedNames(Map.of());

    public ResolvedNames {
        addresses = Map.copyOf(addresses);
        bypasses = Map.copyOf(bypasses);
    }

    /** Uses the same addresses for endpoints and bypasses. */
    public ResolvedNames(Map<Host.Name, List<InetAddress>> addresses) {
        this(addresses, addresses);
    }

    List<InetAddress> ofBypass(Host.Name name) {
        return bypasses.getOrDefault(name, List.of());
    }

    public List<InetAddress> of(Host host) {
        return switch (host) {
            case Host.Literal(InetAddress address) -> List.of(address);
            case Host.Name name -> addresses.getOrDefault(name, List.of());
        };
    }

    /** Returns the first address that the machine has a route to; empty if there is none. */
    Optional<InetSocketAddress> reachable(Endpoint endpoint, Predicate<InetAddress> reaches) {
        return of(endpoint.host()).stream()
                .filter(reaches)
                .findFirst()
                .map(address -> new InetSocketAddress(address, endpoint.port()));
    }
}
