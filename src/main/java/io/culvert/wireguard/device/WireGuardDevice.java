// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.wireguard.config.PublicKey;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/** An existing WireGuard interface: in the kernel, or of a userspace program with a UAPI socket. */
public interface WireGuardDevice extends AutoCloseable {

    /** Returns the name of the interface. */
    String name();

    /** Returns the implementation of the device. */
    Implementation implementation();

    /**
     * Sets keys, port, mark and peers exactly as given: peers that are not listed are removed, the others keep their
     * sessions. The configuration is validated before and read back afterwards.
     */
    void configure(DeviceConfig config);

    /** Returns the current state of the device. */
    DeviceState read();

    /**
     * Sets a peer's endpoint, keeping its sessions, and sends a packet at once (keepalive off and on):
     * otherwise a connection on which this side only receives would stall until the next keepalive.
     */
    void setEndpoint(PublicKey peer, InetSocketAddress endpoint);

    /**
     * Sends a packet to the current endpoint of every peer with a handshake since a time, from the source address that
     * the machine uses now. A device sends nothing when the machine's addresses change, so that peers keep sending to
     * the old one, and older userspace implementations (Debian's wireguard-go of 2022) even keep their old source
     * address for 15 s.
     *
     * @param since peers with an earlier last handshake are skipped
     */
    void announceNewAddresses(Instant since);

    /**
     * Checks, on any thread, that the program of a userspace device responds; nothing for a device of the kernel.
     *
     * @throws IOException if it does not within the timeout
     */
    default void checkResponds(Duration timeout) throws IOException {}

    /** Kills a program that hangs, on any thread, if it is supervised by this process, which restarts it. */
    default void kill() {}

    /** Removes the interface, and ends the userspace program. Idempotent. */
    void remove();

    /** Closes sockets; the interface is kept. */
    @Override
    void close();

    /** The implementation of a device. */
    enum Implementation {
        KERNEL,
        USERSPACE;

        /** Returns {@code kernel} or {@code userspace}. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
