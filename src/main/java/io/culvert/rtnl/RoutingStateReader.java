// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Prefix;
import io.culvert.netlink.MalformedMessageException;
import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads links, addresses, routing rules and routes of all programs, without changing anything. */
public final class RoutingStateReader {

    private final NetlinkSocket socket;

    /** @param socket for rtnetlink, of the network namespace that is read */
    public RoutingStateReader(NetlinkSocket socket) {
        this.socket = socket;
    }

    /**
     * Reads everything, in several listings: if something changes meanwhile, the result may be of several moments.
     *
     * @throws NetlinkException if the kernel refuses
     * @throws MalformedMessageException if it is not known which packets a route is for, or what a link or address is
     */
    public RoutingState read() {
        List<NetlinkMessage> listedLinks = socket.dump(KernelLink.list());
        List<RoutingState.StateLink> links = listedLinks.stream()
                .map(message -> KernelLink.decodeState(message)
                        .orElseThrow(() -> new MalformedMessageException("a link without its name")))
                .toList();
        Map<Integer, String> names = new HashMap<>();
        links.forEach(link -> names.put(link.index(), link.name()));
        Map<String, String> comparable = comparableNames(listedLinks);
        return new RoutingState(
                links,
                KernelSnapshot.read(socket, KernelAddress.list(), RoutingStateReader::address).stream()
                        .map(address -> linkAddress(address, names))
                        .toList(),
                KernelSnapshot.read(socket, KernelRule.list(), KernelRule::decode).stream()
                        .map(rule -> rule.lookup(name -> Optional.ofNullable(comparable.get(name))))
                        .toList(),
                KernelSnapshot.read(socket, KernelRoute.listAll(), KernelRoute::decodeLookup));
    }

    private static Optional<KernelAddress> address(NetlinkMessage message) {
        Optional<KernelAddress> address = KernelAddress.decode(message);
        if (address.isEmpty() && KernelAddress.isOfFamily(message)) {
            throw new MalformedMessageException("an address that is none");
        }
        return address;
    }

    /** Returns the names of links, by every name that a rule may have for them. */
    private static Map<String, String> comparableNames(List<NetlinkMessage> listedLinks) {
        Map<String, String> names = new HashMap<>();
        for (NetlinkMessage message : listedLinks) {
            // A rule for a virtual router also applies to packets of the links that belong to it.
            KernelLink.decode(message)
                    .filter(link -> !link.kind().equals(RoutingState.VIRTUAL_ROUTER))
                    .ifPresent(link -> {
                        KernelLink.alternativeNames(message).forEach(name -> names.put(name, link.name()));
                        names.put(link.name(), link.name());
                    });
        }
        return names;
    }

    /** Returns an address of this machine; on a point-to-point link, its prefix length is that of the peer's network. */
    private static LinkAddress linkAddress(KernelAddress address, Map<Integer, String> names) {
        return new LinkAddress(
                names.getOrDefault(address.link(), "if" + address.link()),
                address.pointToPoint() ? Prefix.host(address.address().address()) : address.address());
    }
}
