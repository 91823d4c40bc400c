// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.net.Family;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.Uplink;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * A tunnel's MTU. If none is set, it is the uplink's MTU minus WireGuard's overhead, but at most 1420, which wg-quick uses on
 * Ethernet: an access line often carries less than the uplink's MTU (PPPoE: 1492 bytes), and its ICMP messages may be lost.
 * Rootless Podman's uplink has an MTU of 65520, which no provider's path carries.
 *
 * <p>The overhead is the outer IP header (20 or 40 bytes), UDP (8), and WireGuard's header and tag (32):
 * https://www.wireguard.com/protocol/.
 *
 * @param bytes the MTU of the link
 * @param origin where it comes from, for messages
 */
record Mtu(int bytes, String origin) {

    private static final int MAX = 1420;
    private static final int OVERHEAD_IPV4 = 60;
    private static final int OVERHEAD_IPV6 = 80;
    private static final int ETHERNET = 1500;

    /** The datagram size that every IPv4 host accepts (RFC 791, section 3.1). */
    private static final int MIN = 576;

    /**
     * Returns the MTU of the exit node's tunnel.
     *
     * @param setting takes precedence over the file's
     * @param endpoint the family of the server's address; empty if it is not known yet or differs between peers
     */
    static Mtu of(OptionalInt setting, OptionalInt file, Machine machine, Optional<Family> endpoint) {
        return setting.isPresent()
                ? new Mtu(setting.getAsInt(), "CULVERT_MTU")
                : fromFile(file).orElseGet(() -> ofUplink(machine, endpoint));
    }

    /** Returns the MTU of a link whose file may set one. */
    static Mtu of(OptionalInt file, Machine machine) {
        return fromFile(file).orElseGet(() -> ofUplink(machine, Optional.empty()));
    }

    /**
     * Returns the MTU of a tunnel without a mesh, as wg-quick determines it in {@code set_mtu_up}: the largest MTU of the paths to
     * the servers, or else of the uplinks, minus 80 bytes. Unlike there, it is at most that on Ethernet.
     *
     * @param paths MTU in bytes of the path to each reachable server
     */
    static Mtu ofTunnelWithoutMesh(OptionalInt file, Machine machine, List<Integer> paths) {
        return fromFile(file).orElseGet(() -> {
            IntStream pathMtu = paths.isEmpty()
                    ? machine.uplinks().values().stream().mapToInt(Uplink::mtu)
                    : paths.stream().mapToInt(Integer::intValue);
            return fromPathMtu(pathMtu.max().orElse(ETHERNET), OVERHEAD_IPV6);
        });
    }

    private static Optional<Mtu> fromFile(OptionalInt file) {
        return file.isPresent() ? Optional.of(new Mtu(file.getAsInt(), "MTU in its file")) : Optional.empty();
    }

    private static Mtu ofUplink(Machine machine, Optional<Family> endpoint) {
        int uplink = endpoint.map(machine.uplinks()::get)
                .map(Uplink::mtu)
                .orElseGet(() -> machine.uplinks().values().stream()
                        .mapToInt(Uplink::mtu)
                        .min()
                        .orElse(ETHERNET));
        return fromPathMtu(uplink, endpoint.filter(Family.IPV4::equals).isPresent() ? OVERHEAD_IPV4 : OVERHEAD_IPV6);
    }

    private static Mtu fromPathMtu(int pathMtu, int overhead) {
        return new Mtu(Math.clamp(pathMtu - overhead, MIN, MAX), "for a path MTU of " + pathMtu);
    }
}
