package io.culvert.topology;

import io.culvert.ip.Endpoint;
import io.culvert.ip.Prefix;
import io.culvert.wireguard.PublicKey;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;

/**
 * What one node knows of a peer that it is linked with.
 *
 * @param allowedIps the peer's addresses as single addresses, then the networks behind it, then both whole families where
 *     the node leaves through it
 * @param candidates where the peer may be found, the preferred place first; empty where it can only call us
 * @param keepaliveSeconds 1 to 65535; empty for off
 * @param refreshSeconds how often names of the candidates are looked up again; empty for never
 * @param refreshRestartSeconds how soon after a look-up that failed; empty for the same
 */
public record MeshLink(
        String peer,
        PublicKey publicKey,
        Optional<Path> presharedKeyFile,
        List<Prefix> allowedIps,
        List<Endpoint> candidates,
        OptionalInt keepaliveSeconds,
        OptionalInt refreshSeconds,
        OptionalInt refreshRestartSeconds,
        List<HostsEntry> hosts) {

    public MeshLink {
        allowedIps = List.copyOf(allowedIps);
        candidates = List.copyOf(candidates);
        hosts = List.copyOf(hosts);
    }

    /**
     * Where to call first, and for ever where nobody looks for a better place: the first candidate that is no private
     * address, as it is found from everywhere; else the first.
     */
    public Optional<Endpoint> endpoint() {
        return endpoint(_ -> true);
    }

    /** The same among those candidates that can be called at all. */
    public Optional<Endpoint> endpoint(Predicate<Endpoint> callable) {
        return candidates.stream()
                .filter(callable)
                .filter(candidate -> !PrivateSpace.holds(candidate.host()))
                .findFirst()
                .or(() -> candidates.stream().filter(callable).findFirst());
    }
}
