// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSocket.Outcome;

/** A WireGuard device in the kernel, controlled over generic netlink. */
final class KernelDevice extends ConfiguredDevice {

    private final String name;
    private final NetlinkSocket socket;
    private final KernelMessages messages;
    private final DeviceLinks links;

    /** @param family the number of the generic netlink family {@code wireguard} */
    KernelDevice(String name, NetlinkSocket socket, int family, DeviceLinks links) {
        this.name = name;
        this.socket = socket;
        this.messages = new KernelMessages(family, name);
        this.links = links;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Implementation implementation() {
        return Implementation.KERNEL;
    }

    @Override
    public synchronized DeviceState read() {
        try {
            return KernelResponse.parse(socket.dump(messages.get()));
        } catch (NetlinkException e) {
            throw refused(e.errno(), "");
        }
    }

    @Override
    synchronized void apply(DeviceChange change) {
        for (Outcome outcome : socket.execute(messages.set(change))) {
            if (!outcome.succeeded()) {
                throw refused(outcome.errno(), outcome.message());
            }
        }
    }

    @Override
    public void remove() {
        links.delete(name);
    }

    @Override
    public synchronized void close() {
        socket.close();
    }
}
