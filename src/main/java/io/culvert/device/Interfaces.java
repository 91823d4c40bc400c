package io.culvert.device;

import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSocket.Outcome;
import io.culvert.network.Links;
import io.culvert.network.Links.Found;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Link operations for devices, each with a netlink socket of its own, as devices outlive the thread that created them.
 *
 * @param alias the alias that identifies our links
 */
record Interfaces(Supplier<NetlinkSocket> sockets, String alias) {

    boolean ours(Found link) {
        return link.alias().equals(alias);
    }

    Optional<Found> find(String name) {
        return with(links -> links.find(name));
    }

    Outcome add(String name, String kind) {
        return with(links -> links.add(name, kind, alias));
    }

    void mark(String name) {
        with(links -> {
            links.mark(name, alias);
            return name;
        });
    }

    void delete(String name) {
        with(links -> {
            links.delete(name);
            return name;
        });
    }

    private <T> T with(Function<Links, T> work) {
        try (NetlinkSocket socket = sockets.get()) {
            return work.apply(new Links(socket));
        }
    }
}
