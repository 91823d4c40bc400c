package io.culvert.plan;

import io.culvert.ip.Family;
import io.culvert.network.Machine;
import io.culvert.network.Uplink;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * A tunnel's MTU. Where nobody gives one, it is what the uplink carries, less WireGuard's overhead, and 1420 at most, which is
 * what wg-quick takes on Ethernet: an access line often carries less than the uplink says (PPPoE: 1492 bytes), and its ICMP may
 * be lost. Rootless Podman's uplink says 65520, which no provider's path carries.
 *
 * <p>The overhead is the outer IP header (20 or 40 bytes), UDP (8), and WireGuard's header and tag (32):
 * https://www.wireguard.com/protocol/.
 *
 * @param bytes that the link is given
 * @param origin who says so, for people
 */
record Mtu(int bytes, String origin) {

    private static final int MOST = 1420;
    private static final int OVERHEAD_IPV4 = 60;
    private static final int OVERHEAD_IPV6 = 80;
    private static final int ETHERNET = 1500;

    /** What every IPv4 host takes (RFC 791, section 3.1). */
    private static final int LEAST = 576;

    /**
     * Of the exit node's tunnel.
     *
     * @param setting before the file's
     * @param endpoint the family of the server's address; empty where it is not known yet or differs between peers
     */
    static Mtu of(OptionalInt setting, OptionalInt file, Machine machine, Optional<Family> endpoint) {
        return setting.isPresent()
                ? new Mtu(setting.getAsInt(), "CULVERT_MTU")
                : given(file).orElseGet(() -> ofUplink(machine, endpoint));
    }

    /** Of a link whose file may give one. */
    static Mtu of(OptionalInt file, Machine machine) {
        return given(file).orElseGet(() -> ofUplink(machine, Optional.empty()));
    }

    /**
     * By wg-quick's rule, its {@code set_mtu_up}: the largest of what the ways to the servers carry, else what the uplink carries,
     * less 80 bytes; unlike there, not more than on Ethernet.
     *
     * @param paths in bytes, one for each server that there is a way to
     */
    static Mtu ofTunnelAlone(OptionalInt file, Machine machine, List<Integer> paths) {
        return given(file).orElseGet(() -> {
            IntStream carried = paths.isEmpty()
                    ? machine.uplinks().values().stream().mapToInt(Uplink::mtu)
                    : paths.stream().mapToInt(Integer::intValue);
            return within(carried.max().orElse(ETHERNET), OVERHEAD_IPV6);
        });
    }

    private static Optional<Mtu> given(OptionalInt file) {
        return file.isPresent() ? Optional.of(new Mtu(file.getAsInt(), "MTU in its file")) : Optional.empty();
    }

    private static Mtu ofUplink(Machine machine, Optional<Family> endpoint) {
        int uplink = endpoint.map(machine.uplinks()::get)
                .map(Uplink::mtu)
                .orElseGet(() -> machine.uplinks().values().stream()
                        .mapToInt(Uplink::mtu)
                        .min()
                        .orElse(ETHERNET));
        return within(uplink, endpoint.filter(Family.IPV4::equals).isPresent() ? OVERHEAD_IPV4 : OVERHEAD_IPV6);
    }

    private static Mtu within(int carried, int overhead) {
        return new Mtu(Math.clamp(carried - overhead, LEAST, MOST), "what a path of " + carried + " bytes leaves");
    }
}
