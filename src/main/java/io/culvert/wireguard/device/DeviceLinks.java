// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSocket.Outcome;
import io.culvert.rtnl.LinkManager;
import io.culvert.rtnl.LinkManager.LinkInfo;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Link operations for devices, each with a netlink socket of its own, as devices outlive the thread that created them.
 *
 * @param alias the alias that identifies Culvert's links
 */
record DeviceLinks(Supplier<NetlinkSocket> sockets, String alias) {

    boolean isOurs(LinkInfo link) {
        return link.alias().equals(alias);
    }

    Optional<LinkInfo> find(String name) {
        return with(links -> links.find(name));
    }

    Outcome add(String name, String kind) {
        return with(links -> links.add(name, kind, alias));
    }

    void setAlias(String name) {
        with(links -> {
            links.setAlias(name, alias);
            return name;
        });
    }

    void delete(String name) {
        with(links -> {
            links.delete(name);
            return name;
        });
    }

    private <T> T with(Function<LinkManager, T> work) {
        try (NetlinkSocket socket = sockets.get()) {
            return work.apply(new LinkManager(socket));
        }
    }
}
