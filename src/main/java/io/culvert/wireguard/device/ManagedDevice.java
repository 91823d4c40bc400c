// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.diagnostics.ProblemException;
import io.culvert.wireguard.config.PublicKey;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.function.Predicate;

/** A device that is recreated and reconfigured if it is removed or changed. Thread-safe. */
public final class ManagedDevice {

    private final IntFunction<WireGuardDevice> create;
    private final Predicate<String> linkExists;
    private volatile Optional<WireGuardDevice> device = Optional.empty();
    private Optional<DeviceConfig> configured = Optional.empty();

    /**
     * @param create creates the device, for a listen port or 0, or adopts the one that an earlier run left behind
     * @param linkExists whether an interface with a name exists
     */
    public ManagedDevice(IntFunction<WireGuardDevice> create, Predicate<String> linkExists) {
        this.create = create;
        this.linkExists = linkExists;
    }

    /**
     * Brings the device to the desired configuration; it may be missing, or unconfigured after a restart of its
     * program. Peers of which only the endpoint changed keep their sessions.
     *
     * @return whether anything was changed
     */
    public synchronized boolean ensure(DeviceConfig config) {
        Optional<DeviceState> state = read();
        if (state.isEmpty()) {
            close();
            device = Optional.of(create.apply(config.listenPort()));
        }
        boolean unchanged = configured.isPresent()
                && state.isPresent()
                && DeviceChange.remaining(configured.get(), state.get()).isEmpty();
        if (unchanged && configured.equals(Optional.of(config))) {
            return false;
        }
        WireGuardDevice existing = device.orElseThrow();
        if (unchanged && withoutEndpoints(configured.get()).equals(withoutEndpoints(config))) {
            setChangedEndpoints(existing, configured.get(), config);
        } else {
            configured = Optional.empty();
            existing.configure(config);
        }
        configured = Optional.of(config);
        return true;
    }

    /** Returns the current state; empty if there is no device, or it does not respond. */
    public synchronized Optional<DeviceState> read() {
        try {
            return device.filter(existing -> linkExists.test(existing.name())).map(WireGuardDevice::read);
        } catch (ProblemException _) {
            // Its program has exited or is exiting, and is restarted by its supervisor.
            return Optional.empty();
        }
    }

    /**
     * Checks that the device's program responds, where it has one; without waiting for another call that waits for it.
     *
     * @throws IOException if it does not within the timeout
     */
    public void checkResponds(Duration timeout) throws IOException {
        Optional<WireGuardDevice> existing = device;
        if (existing.isPresent()) {
            existing.get().checkResponds(timeout);
        }
    }

    /** Kills the device's program, which hangs; its supervisor restarts it, and {@link #ensure} configures it again. */
    public void kill() {
        device.ifPresent(WireGuardDevice::kill);
    }

    /** Returns {@code kernel}, {@code userspace}, or {@code none} if there is no device. */
    public synchronized String implementation() {
        return device.map(existing -> existing.implementation().toString()).orElse("none");
    }

    /**
     * Sets a peer's endpoint without changing the desired configuration: the next {@link #ensure} with the same one
     * does not undo it. Does nothing if there is no device.
     */
    public synchronized void setEndpoint(PublicKey peer, InetSocketAddress endpoint) {
        device.filter(existing -> linkExists.test(existing.name()))
                .ifPresent(existing -> existing.setEndpoint(peer, endpoint));
    }

    /**
     * Calls {@link WireGuardDevice#announceNewAddresses} after this machine's addresses or routes have changed. Does
     * nothing if there is no device.
     */
    public synchronized void announceNewAddresses(Instant since) {
        try {
            device.filter(existing -> linkExists.test(existing.name()))
                    .ifPresent(existing -> existing.announceNewAddresses(since));
        } catch (ProblemException _) {
            // Its program has exited or is exiting; a new one has no outdated source address.
        }
    }

    /** Resets the endpoints of peers that have roamed to the configured ones; other peers are not changed. */
    public synchronized void resetEndpoints() {
        Optional<DeviceState> state = read();
        if (device.isPresent() && configured.isPresent() && state.isPresent()) {
            DeviceConfig current = configured.get().withEndpoints(state.get());
            setChangedEndpoints(device.get(), current, configured.get());
        }
    }

    /**
     * Removes the peers, and with them their sessions: the next {@link #ensure} adds them again, which begins with a
     * handshake at once. Otherwise a device repeats one after {@code REKEY_TIMEOUT} only, also at another endpoint. Does
     * nothing if there is no device.
     */
    public synchronized void removePeers() {
        if (configured.isPresent() && read().isPresent()) {
            DeviceConfig current = configured.get();
            configured = Optional.empty();
            device.orElseThrow()
                    .configure(new DeviceConfig(current.privateKey(), current.listenPort(), current.mark(), List.of()));
        }
    }

    /**
     * Removes the peers and adds them again: the device begins its handshakes at once. Does nothing if there is no device, or it
     * is not configured.
     */
    public synchronized void repeatHandshakes() {
        if (configured.isPresent() && read().isPresent()) {
            DeviceConfig current = configured.get();
            removePeers();
            device.orElseThrow().configure(current);
            configured = Optional.of(current);
        }
    }

    /** Removes the device. Idempotent. */
    public synchronized void remove() {
        device.ifPresent(WireGuardDevice::remove);
        close();
    }

    /** Forgets the device, which stays as it is; {@link #ensure} creates or adopts one again. */
    public synchronized void close() {
        device.ifPresent(WireGuardDevice::close);
        device = Optional.empty();
        configured = Optional.empty();
    }

    private static void setChangedEndpoints(WireGuardDevice device, DeviceConfig oldConfig, DeviceConfig newConfig) {
        Map<Object, Object> previous = new HashMap<>();
        oldConfig.peers().forEach(peer -> previous.put(peer.publicKey(), peer.endpoint()));
        newConfig.peers().forEach(peer -> {
            if (!peer.endpoint().equals(previous.get(peer.publicKey()))) {
                peer.endpoint().ifPresent(endpoint -> device.setEndpoint(peer.publicKey(), endpoint));
            }
        });
    }

    private static DeviceConfig withoutEndpoints(DeviceConfig config) {
        return new DeviceConfig(
                config.privateKey(),
                config.listenPort(),
                config.mark(),
                config.peers().stream()
                        .map(peer -> new DeviceConfig.PeerConfig(
                                peer.publicKey(),
                                peer.presharedKey(),
                                Optional.empty(),
                                peer.keepaliveSeconds(),
                                peer.allowedIps()))
                        .toList());
    }
}
