package io.culvert.network;

import io.culvert.linux.Descriptor;
import io.culvert.linux.Errno;
import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSocket.Outcome;
import java.util.List;
import java.util.Optional;

/** Single links, by name. */
public final class Links {

    private final NetlinkSocket socket;

    /**
     * A link that is there.
     *
     * @param kind such as {@code wireguard} or {@code tun}; empty for hardware
     * @param alias empty where it bears nobody's mark
     */
    public record Found(String kind, String alias) {}

    public Links(NetlinkSocket socket) {
        this.socket = socket;
    }

    public boolean exists(String name) {
        return link(name).isPresent();
    }

    public Optional<Found> find(String name) {
        return link(name).map(link -> new Found(link.kind(), link.alias()));
    }

    /**
     * Makes a link and marks it, in one go.
     *
     * @return what the kernel says of the making; {@link Errno#EOPNOTSUPP} where it does not know the kind
     */
    public Outcome add(String name, String kind, String alias) {
        return socket.execute(List.of(KernelLink.create(name, kind), KernelLink.mark(name, alias)))
                .getFirst();
    }

    public void mark(String name, String alias) {
        Outcome outcome = socket.execute(List.of(KernelLink.mark(name, alias))).getFirst();
        if (!outcome.done()) {
            throw new NetlinkException("marking the interface " + name, outcome);
        }
    }

    /**
     * Deletes a link, and with it its addresses and routes; one that is not there is fine.
     *
     * @throws NetlinkException where the kernel refuses, as for a physical link
     */
    public void delete(String name) {
        Optional<KernelLink> link = link(name);
        if (link.isEmpty()) {
            return;
        }
        Outcome outcome = socket.execute(List.of(link.get().delete())).getFirst();
        if (!outcome.done() && outcome.errno() != Errno.ENODEV) {
            throw new NetlinkException("removing the interface " + name, outcome);
        }
    }

    /** Makes it carry packets, without any change to it. */
    public void raise(String name) {
        link(name).ifPresent(link -> carryOut("raising the interface " + name, link.raise(link.mtu())));
    }

    /** The same, with an MTU in bytes. */
    public void raise(String name, int mtu) {
        link(name).ifPresent(link -> carryOut("raising the interface " + name, link.raise(mtu)));
    }

    /**
     * Moves it to another network namespace, where it has another name; its addresses and routes stay behind, and it is down.
     *
     * @param namespace a descriptor of it
     */
    public void move(String name, Descriptor namespace, String nameThere) {
        KernelLink link = link(name)
                .orElseThrow(
                        () -> new NetlinkException("moving the interface " + name, new Outcome(Errno.ENODEV, "", -1)));
        carryOut("moving the interface " + name, link.move(namespace.number(), nameThere));
    }

    private void carryOut(String what, NetlinkMessage request) {
        Outcome outcome = socket.execute(List.of(request)).getFirst();
        if (!outcome.done()) {
            throw new NetlinkException(what, outcome);
        }
    }

    private Optional<KernelLink> link(String name) {
        return Snapshot.read(socket, KernelLink.list(), KernelLink::decode).stream()
                .filter(link -> link.name().equals(name))
                .findFirst();
    }
}
