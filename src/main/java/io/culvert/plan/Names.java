package io.culvert.plan;

import io.culvert.ip.Endpoint;
import io.culvert.ip.Host;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What host names stand for at the moment; a name that is not known has no addresses.
 *
 * @param addresses of servers and peers
 * @param bypasses of bypasses by name, which are held to more than endpoints are: whoever forges one opens the kill switch
 */
public record Names(Map<Host.Name, List<InetAddress>> addresses, Map<Host.Name, List<InetAddress>> bypasses) {

    public static final Names NONE = new Names(Map.of());

    public Names {
        addresses = Map.copyOf(addresses);
        bypasses = Map.copyOf(bypasses);
    }

    /** The same for all uses. */
    public Names(Map<Host.Name, List<InetAddress>> addresses) {
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

    /** The first address that the machine has a way to; empty where there is none. */
    Optional<InetSocketAddress> reachable(Endpoint endpoint, Predicate<InetAddress> reaches) {
        return of(endpoint.host()).stream()
                .filter(reaches)
                .findFirst()
                .map(address -> new InetSocketAddress(address, endpoint.port()));
    }
}
