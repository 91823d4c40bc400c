package io.culvert.device;

import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSocket.Outcome;
import io.culvert.network.Links;
import io.culvert.network.Links.Found;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Links as far as devices need them, each time by a socket of its own: devices outlive the thread that made them.
 *
 * @param alias our mark on what is ours
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
