package io.culvert.device;

import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSocket.Outcome;

/** A WireGuard device in the kernel, controlled over generic netlink. */
final class KernelDevice extends ConfiguredDevice {

    private final String name;
    private final NetlinkSocket socket;
    private final KernelMessages messages;
    private final Interfaces interfaces;

    /** @param family the number of the generic netlink family {@code wireguard} */
    KernelDevice(String name, NetlinkSocket socket, int family, Interfaces interfaces) {
        this.name = name;
        this.socket = socket;
        this.messages = new KernelMessages(family, name);
        this.interfaces = interfaces;
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
            return KernelAnswer.parse(socket.dump(messages.get()));
        } catch (NetlinkException e) {
            throw refused(e.errno(), "");
        }
    }

    @Override
    synchronized void tell(DeviceChange change) {
        for (Outcome outcome : socket.execute(messages.set(change))) {
            if (!outcome.done()) {
                throw refused(outcome.errno(), outcome.message());
            }
        }
    }

    @Override
    public void remove() {
        interfaces.delete(name);
    }

    @Override
    public synchronized void close() {
        socket.close();
    }
}
