package io.culvert.plan;

import io.culvert.ip.Family;
import io.culvert.network.Machine;
import io.culvert.network.Uplink;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The tunnel's MTU where the file gives none: what the uplink carries, at most Ethernet's, less WireGuard's overhead.
 *
 * <p>The overhead is the outer IP header (20 or 40 bytes), UDP (8), and WireGuard's header and tag (32):
 * https://www.wireguard.com/protocol/. Rootless Podman's uplink says 65520, which no provider's path carries, hence the
 * upper bound.
 */
final class Mtu {

    private static final int ETHERNET = 1500;
    private static final int OVERHEAD_IPV4 = 60;
    private static final int OVERHEAD_IPV6 = 80;

    /** The least that IPv6 may have (RFC 8200, section 5). */
    private static final int LEAST = 1280;

    private Mtu() {}

    /**
     * @param endpoint the family of the server's address; empty where it is not known yet or differs between peers
     * @return in bytes
     */
    static int of(Machine machine, Optional<Family> endpoint) {
        int uplink = endpoint.map(machine.uplinks()::get)
                .map(Uplink::mtu)
                .orElseGet(() -> machine.uplinks().values().stream()
                        .mapToInt(Uplink::mtu)
                        .min()
                        .orElse(ETHERNET));
        int overhead = endpoint.filter(Family.IPV4::equals).isPresent() ? OVERHEAD_IPV4 : OVERHEAD_IPV6;
        return Math.max(LEAST, Math.min(uplink, ETHERNET) - overhead);
    }

    /**
     * wg-quick's rule, its {@code set_mtu_up}: the largest of what the ways to the servers carry, else what the uplink carries,
     * less 80 bytes.
     *
     * @param paths in bytes, one for each server that there is a way to
     */
    static int ofTunnelAlone(Machine machine, List<Integer> paths) {
        IntStream carried = paths.isEmpty()
                ? machine.uplinks().values().stream().mapToInt(Uplink::mtu)
                : paths.stream().mapToInt(Integer::intValue);
        return carried.max().orElse(ETHERNET) - OVERHEAD_IPV6;
    }
}
