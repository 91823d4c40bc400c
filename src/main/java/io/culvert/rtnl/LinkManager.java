// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.linux.Descriptor;
import io.culvert.linux.Errno;
import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSocket.Outcome;
import java.util.List;
import java.util.Optional;

/** Operations on single links, by name. */
public final class LinkManager {

    private final NetlinkSocket socket;

    /**
     * An existing link.
     *
     * @param kind such as {@code wireguard} or {@code tun}; empty for hardware
     * @param alias empty if it has none
     */
    public record LinkInfo(String kind, String alias) {}

    public LinkManager(NetlinkSocket socket) {
        this.socket = socket;
    }

    public boolean exists(String name) {
        return link(name).isPresent();
    }

    public Optional<LinkInfo> find(String name) {
        return link(name).map(link -> new LinkInfo(link.kind(), link.alias()));
    }

    /**
     * Creates a link and sets its alias, in one batch.
     *
     * @return the outcome of the creation; {@link Errno#EOPNOTSUPP} if the kernel does not support the kind
     */
    public Outcome add(String name, String kind, String alias) {
        return socket.execute(List.of(KernelLink.create(name, kind), KernelLink.setAlias(name, alias)))
                .getFirst();
    }

    /** Sets the alias of a link. */
    public void setAlias(String name, String alias) {
        Outcome outcome =
                socket.execute(List.of(KernelLink.setAlias(name, alias))).getFirst();
        if (!outcome.succeeded()) {
            throw new NetlinkException("setting the alias of interface " + name, outcome);
        }
    }

    /**
     * Deletes a link with its addresses and routes; a missing link is no error.
     *
     * @throws NetlinkException if the kernel refuses, as for a physical link
     */
    public void delete(String name) {
        Optional<KernelLink> link = link(name);
        if (link.isEmpty()) {
            return;
        }
        Outcome outcome = socket.execute(List.of(link.get().delete())).getFirst();
        if (!outcome.succeeded() && outcome.errno() != Errno.ENODEV) {
            throw new NetlinkException("deleting interface " + name, outcome);
        }
    }

    /** Sets a link up, without other changes. */
    public void setUp(String name) {
        link(name).ifPresent(link -> execute("setting up interface " + name, link.setUp(link.mtu())));
    }

    /** Sets a link up with an MTU in bytes. */
    public void setUp(String name, int mtu) {
        link(name).ifPresent(link -> execute("setting up interface " + name, link.setUp(mtu)));
    }

    /**
     * Moves a link to another network namespace under another name; its addresses and routes are lost, and it is down.
     *
     * @param namespace a descriptor of the namespace
     */
    public void move(String name, Descriptor namespace, String newName) {
        KernelLink link = link(name)
                .orElseThrow(() -> new NetlinkException("moving interface " + name, new Outcome(Errno.ENODEV, "", -1)));
        execute("moving interface " + name, link.move(namespace.number(), newName));
    }

    private void execute(String operation, NetlinkMessage request) {
        Outcome outcome = socket.execute(List.of(request)).getFirst();
        if (!outcome.succeeded()) {
            throw new NetlinkException(operation, outcome);
        }
    }

    private Optional<KernelLink> link(String name) {
        return KernelSnapshot.read(socket, KernelLink.list(), KernelLink::decode).stream()
                .filter(link -> link.name().equals(name))
                .findFirst();
    }
}
