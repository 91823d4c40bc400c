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

/** A device that is to exist and to be configured in one way, however often somebody takes it away; for any thread. */
public final class KeptDevice {

    private final IntFunction<WireGuardDevice> create;
    private final Predicate<String> linkExists;
    private Optional<WireGuardDevice> device = Optional.empty();
    private Optional<DeviceConfig> configured = Optional.empty();

    /**
     * @param create makes the device, for a listen port or 0, or adopts the one that an earlier run left
     * @param linkExists whether the interface of a name is there
     */
    public KeptDevice(IntFunction<WireGuardDevice> create, Predicate<String> linkExists) {
        this.create = create;
        this.linkExists = linkExists;
    }

    /**
     * Makes it so, whatever became of it: it may be gone, or be a blank one that its program made when it was started again.
     * Peers that only moved to another endpoint keep their sessions.
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

    /** Its state now; empty while there is no device, or none that answers. */
    public synchronized Optional<DeviceState> read() {
        try {
            return device.filter(present -> linkExists.test(present.name())).map(WireGuardDevice::read);
        } catch (ProblemException _) {
            // Its program has ended, or is ending: whoever keeps it makes another.
            return Optional.empty();
        }
    }

    /** {@code kernel}, {@code userspace}, or {@code none} while there is no device. */
    public synchronized String implementation() {
        return device.map(present -> switch (present.implementation()) {
                    case KERNEL -> "kernel";
                    case USERSPACE -> "userspace";
                })
                .orElse("none");
    }

    /**
     * Moves a peer to another endpoint, beside what is wanted: the next {@link #keep} of the same does not undo it. Where there
     * is no device just now, nothing happens.
     */
    public synchronized void moveEndpoint(PublicKey peer, InetSocketAddress endpoint) {
        device.filter(present -> linkExists.test(present.name()))
                .ifPresent(present -> present.moveEndpoint(peer, endpoint));
    }

    /**
     * As {@link WireGuardDevice#announce}: the machine has other addresses or routes now. Where there is no device just now,
     * nothing happens.
     */
    public synchronized void announce(Instant heard) {
        try {
            device.filter(present -> linkExists.test(present.name())).ifPresent(present -> present.announce(heard));
        } catch (ProblemException _) {
            // Its program has ended, or is ending: another one has no old address to stay with.
        }
    }

    /** Peers that have roamed are sent to at the endpoints again that are wanted of them; those that have not stay as they are. */
    public synchronized void returnToEndpoints() {
        Optional<DeviceState> state = read();
        if (device.isPresent() && configured.isPresent() && state.isPresent()) {
            DeviceConfig now = configured.get().withEndpoints(state.get());
            moveEndpoints(device.get(), now, configured.get());
        }
    }

    /** Removes it; safe to repeat. */
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
