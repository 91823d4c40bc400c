package io.culvert.device;

import io.culvert.wireguard.PublicKey;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;

/** A WireGuard interface that exists: in the kernel, or a userspace program behind its UAPI socket. */
public interface WireGuardDevice extends AutoCloseable {

    /** {@code REJECT_AFTER_TIME} (WireGuard white paper, section 6.1): how long a session lives after its handshake. */
    Duration SESSION = Duration.ofMinutes(3);

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

    /**
     * Sends a packet to every peer that has been heard since then, where it is now, from whatever address the machine would use
     * now. By itself a device sends nothing when the machine's addresses change, so that peers go on sending to the old one, and
     * older userspace ones (Debian's wireguard-go of 2022) even stay with their old source address for 15 s.
     *
     * @param heard last handshakes before are passed over
     */
    void announce(Instant heard);

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
