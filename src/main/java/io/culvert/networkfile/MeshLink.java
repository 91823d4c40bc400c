// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Endpoint;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import io.culvert.wireguard.config.PublicKey;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * The configuration that a node needs for one of its peers.
 *
 * @param allowedIps the peer's addresses as single addresses, then the networks behind it, then both default routes if
 *     the node uses it as its exit node
 * @param candidates the endpoint candidates, the preferred one first; empty if only the peer can initiate handshakes
 * @param keepaliveSeconds 1 to 65535; empty for off
 * @param refreshSeconds the interval at which names of the candidates are resolved again; empty for never
 * @param refreshRestartSeconds the interval after a failed resolution; empty for the same
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

    /** The fields that may be absent, by name. */
    public static final class Fields {
        public Optional<Path> presharedKeyFile = Optional.empty();
        public List<Prefix> allowedIps = List.of();
        public List<Endpoint> candidates = List.of();
        public OptionalInt keepaliveSeconds = OptionalInt.empty();
        public OptionalInt refreshSeconds = OptionalInt.empty();
        public OptionalInt refreshRestartSeconds = OptionalInt.empty();
        public List<HostsEntry> hosts = List.of();

        private Fields() {}
    }

    /** Returns the link with the fields that {@code others} sets. */
    public static MeshLink of(String peer, PublicKey publicKey, Consumer<Fields> others) {
        Fields fields = new Fields();
        others.accept(fields);
        return new MeshLink(
                peer,
                publicKey,
                fields.presharedKeyFile,
                fields.allowedIps,
                fields.candidates,
                fields.keepaliveSeconds,
                fields.refreshSeconds,
                fields.refreshRestartSeconds,
                fields.hosts);
    }

    public MeshLink {
        allowedIps = List.copyOf(allowedIps);
        candidates = List.copyOf(candidates);
        hosts = List.copyOf(hosts);
    }

    /**
     * Returns the initial endpoint, which stays in use without endpoint selection: the first candidate without a
     * private address, as it is reachable from anywhere, else the first one.
     */
    public Optional<Endpoint> endpoint() {
        return endpoint(_ -> true);
    }

    /** Returns the initial endpoint among the usable candidates. */
    public Optional<Endpoint> endpoint(Predicate<Endpoint> isUsable) {
        Optional<Endpoint> first = Optional.empty();
        for (Endpoint candidate : candidates) {
            if (isUsable.test(candidate)) {
                if (!isPrivate(candidate.host())) {
                    return Optional.of(candidate);
                }
                first = first.or(() -> Optional.of(candidate));
            }
        }
        return first;
    }

    /** Returns whether a host is in a private range. A name counts as public. */
    private static boolean isPrivate(Host host) {
        if (host instanceof Host.Literal literal) {
            for (Prefix range : SpecialRange.PRIVATE_NETWORKS) {
                if (range.contains(literal.address())) {
                    return true;
                }
            }
        }
        return false;
    }
}
