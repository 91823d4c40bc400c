package io.culvert.run;

import io.culvert.linux.Sysctl;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.network.LinkAddress;
import io.culvert.network.Links;
import io.culvert.network.Machine;
import io.culvert.network.MachineReader;
import io.culvert.network.Network;
import io.culvert.nft.Nftables;
import io.culvert.problem.ProblemException;
import java.util.Optional;

/**
 * Access to the kernel: netlink, nftables and sysctls, in the network namespace of the thread that opened it, and for
 * that thread only.
 */
public final class Kernel implements AutoCloseable {

    private final NetlinkSocket route;
    private final NetlinkSocket generic;
    private final Nftables nftables;
    private final MachineReader machine;
    private final Sysctl sysctl;

    private Kernel(Surroundings around, NetlinkSocket route, NetlinkSocket generic, Nftables nftables) {
        this.route = route;
        this.generic = generic;
        this.nftables = nftables;
        this.machine = new MachineReader(route, generic, around.root());
        this.sysctl = new Sysctl(around.root().resolve("proc/sys"));
    }

    /** @throws ProblemException where libnftables or netlink is not available */
    public static Kernel open(Surroundings around) {
        NetlinkSocket route = KernelNetlinkSocket.route();
        NetlinkSocket generic = KernelNetlinkSocket.generic();
        return new Kernel(around, route, generic, Nftables.open());
    }

    public Machine machine() {
        return machine.read();
    }

    /**
     * Returns an IPv6 address that has no default route, because the kernel ignores router advertisements when
     * forwarding.
     */
    public Optional<LinkAddress> unrouted(Machine now) {
        return machine.unrouted(now);
    }

    public Network network() {
        return new Network(route, sysctl);
    }

    public Links links() {
        return new Links(route);
    }

    public NetlinkSocket route() {
        return route;
    }

    public NetlinkSocket generic() {
        return generic;
    }

    public Nftables nftables() {
        return nftables;
    }

    public Sysctl sysctl() {
        return sysctl;
    }

    @Override
    public void close() {
        nftables.close();
        generic.close();
        route.close();
    }
}
