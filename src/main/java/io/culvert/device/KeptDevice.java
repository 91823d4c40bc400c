package io.culvert.device;

import io.culvert.problem.ProblemException;
import io.culvert.wireguard.PublicKey;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.function.Predicate;

/** A device that is recreated and reconfigured if it is removed or changed. Thread-safe. */
public final class KeptDevice {

    private final IntFunction<WireGuardDevice> create;
    private final Predicate<String> linkExists;
    private Optional<WireGuardDevice> device = Optional.empty();
    private Optional<DeviceConfig> configured = Optional.empty();

    /**
     * @param create creates the device, for a listen port or 0, or adopts the one that an earlier run left behind
     * @param linkExists whether an interface with a name exists
     */
    public KeptDevice(IntFunction<WireGuardDevice> create, Predicate<String> linkExists) {
        this.create = create;
        this.linkExists = linkExists;
    }

    /**
     * Brings the device to the wanted configuration; it may be missing, or unconfigured after a restart of its program.
     * Peers of which only the endpoint changed keep their sessions.
     *
     * @return whether anything was changed
     */
    public synchronized boolean keep(DeviceConfig wanted) {
        Optional<DeviceState> state = read();
        if (state.isEmpty()) {
            drop();
            device = Optional.of(create.apply(wanted.listenPort()));
        }
        boolean intact = configured.isPresent()
                && state.isPresent()
                && DeviceChange.remaining(configured.get(), state.get()).isEmpty();
        if (intact && configured.equals(Optional.of(wanted))) {
            return false;
        }
        WireGuardDevice present = device.orElseThrow();
        if (intact && withoutEndpoints(configured.get()).equals(withoutEndpoints(wanted))) {
            moveEndpoints(present, configured.get(), wanted);
        } else {
            configured = Optional.empty();
            present.configure(wanted);
        }
        configured = Optional.of(wanted);
        return true;
    }

    /** Returns the current state; empty if there is no device, or it does not respond. */
    public synchronized Optional<DeviceState> read() {
        try {
            return device.filter(present -> linkExists.test(present.name())).map(WireGuardDevice::read);
        } catch (ProblemException _) {
            // Its program has exited or is exiting, and is restarted by its supervisor.
            return Optional.empty();
        }
    }

    /** Returns {@code kernel}, {@code userspace}, or {@code none} if there is no device. */
    public synchronized String implementation() {
        return device.map(present -> switch (present.implementation()) {
                    case KERNEL -> "kernel";
                    case USERSPACE -> "userspace";
                })
                .orElse("none");
    }

    /**
     * Sets a peer's endpoint without changing the wanted configuration: the next {@link #keep} with the same one does
     * not undo it. Does nothing if there is no device.
     */
    public synchronized void moveEndpoint(PublicKey peer, InetSocketAddress endpoint) {
        device.filter(present -> linkExists.test(present.name()))
                .ifPresent(present -> present.moveEndpoint(peer, endpoint));
    }

    /**
     * Calls {@link WireGuardDevice#announce} after this machine's addresses or routes have changed. Does nothing if
     * there is no device.
     */
    public synchronized void announce(Instant heard) {
        try {
            device.filter(present -> linkExists.test(present.name())).ifPresent(present -> present.announce(heard));
        } catch (ProblemException _) {
            // Its program has exited or is exiting; a new one has no outdated source address.
        }
    }

    /** Resets the endpoints of peers that have roamed to the configured ones; other peers are not changed. */
    public synchronized void returnToEndpoints() {
        Optional<DeviceState> state = read();
        if (device.isPresent() && configured.isPresent() && state.isPresent()) {
            DeviceConfig now = configured.get().withEndpoints(state.get());
            moveEndpoints(device.get(), now, configured.get());
        }
    }

    /** Removes the device. Idempotent. */
    public synchronized void remove() {
        device.ifPresent(WireGuardDevice::remove);
        drop();
    }

    private void drop() {
        device.ifPresent(WireGuardDevice::close);
        device = Optional.empty();
        configured = Optional.empty();
    }

    private static void moveEndpoints(WireGuardDevice device, DeviceConfig before, DeviceConfig wanted) {
        Map<Object, Object> known = new HashMap<>();
        before.peers().forEach(peer -> known.put(peer.publicKey(), peer.endpoint()));
        wanted.peers().forEach(peer -> {
            if (!peer.endpoint().equals(known.get(peer.publicKey()))) {
                peer.endpoint().ifPresent(endpoint -> device.moveEndpoint(peer.publicKey(), endpoint));
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
