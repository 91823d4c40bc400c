// SPDX-License-Identifier: Apache-2.0
package io.culvert.runtime;

import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Sysctl;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSockets;
import io.culvert.nft.Nftables;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.LinkManager;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.MachineReader;
import io.culvert.rtnl.NetworkConfigurator;
import java.util.Optional;

/**
 * Access to the kernel: netlink, nftables and sysctls, in the network namespace of the thread that opened it, and for
 * that thread only.
 */
public final class KernelConnections implements AutoCloseable {

    private final NetlinkSocket route;
    private final NetlinkSocket generic;
    private final Nftables nftables;
    private final MachineReader machine;
    private final Sysctl sysctl;

    private KernelConnections(Environment environment, NetlinkSocket route, NetlinkSocket generic, Nftables nftables) {
        this.route = route;
        this.generic = generic;
        this.nftables = nftables;
        this.machine = new MachineReader(route, generic, environment.root());
        this.sysctl = new Sysctl(environment.root().resolve("proc/sys"));
    }

    /** @throws ProblemException if netlink or netfilter is not available */
    public static KernelConnections open(Environment environment) {
        NetlinkSockets sockets = environment.system().netlink();
        return new KernelConnections(environment, sockets.route(), sockets.generic(), Nftables.open(sockets));
    }

    public Machine machine() {
        return machine.read();
    }

    /**
     * Returns an IPv6 address that has no default route, because the kernel ignores router advertisements when
     * forwarding.
     */
    public Optional<LinkAddress> findUnroutedIpv6Address(Machine now) {
        return machine.findUnroutedIpv6Address(now);
    }

    public NetworkConfigurator network() {
        return new NetworkConfigurator(route, sysctl);
    }

    public LinkManager links() {
        return new LinkManager(route);
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
