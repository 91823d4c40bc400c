package io.culvert.device;

import io.culvert.wireguard.PublicKey;
import java.net.InetSocketAddress;

/** A WireGuard interface that exists: in the kernel, or a userspace program behind its UAPI socket. */
public interface WireGuardDevice extends AutoCloseable {

    /** The interface's name. */
    String name();

    /** {@code kernel} or {@code userspace}. */
    Implementation implementation();

    /**
     * Makes keys, port, mark and peers exactly as given: peers that are not listed go, the others keep their sessions.
     * Everything is checked before anything is sent, and read back after it.
     */
    void configure(DeviceConfig config);

    /** What the device says of itself now. */
    DeviceState read();

    /**
     * Moves a peer to another endpoint in place, keeping its sessions, and sends a packet at once (keepalive off and on):
     * without it a download that only receives would stall until the next keepalive.
     */
    void moveEndpoint(PublicKey peer, InetSocketAddress endpoint);

    /** Removes the interface; ends the userspace program. Safe to repeat. */
    void remove();

    /** Lets go of sockets; the interface stays. */
    @Override
    void close();

    /** Which implementation serves. */
    enum Implementation {
        KERNEL,
        USERSPACE
    }
}
