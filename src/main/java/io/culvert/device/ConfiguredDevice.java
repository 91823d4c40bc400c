package io.culvert.device;

import io.culvert.device.DeviceState.PeerState;
import io.culvert.linux.Errno;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.PublicKey;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;

/** A device that is configured by the differences to its current state, which is then read back and verified. */
abstract sealed class ConfiguredDevice implements WireGuardDevice permits KernelDevice, UserspaceDevice {

    /**
     * Applies a change.
     *
     * @throws ProblemException if the device refuses it
     */
    abstract void tell(DeviceChange change);

    @Override
    public final synchronized void configure(DeviceConfig config) {
        PublicKey own = Keys.publicOf(config.privateKey());
        if (config.peers().stream().anyMatch(peer -> peer.publicKey().equals(own))) {
            // Devices silently ignore such a peer.
            throw new ProblemException(Problem.input(
                    Place.machine(name()),
                    "peer " + own.shortText() + " has this device's own public key",
                    "set the peer's public key"));
        }
        DeviceChange change = DeviceChange.between(config, read());
        if (!change.isEmpty()) {
            tell(change);
        }
        List<String> remaining = DeviceChange.remaining(config, read());
        if (!remaining.isEmpty()) {
            throw new ProblemException(Problem.failure(
                    Place.machine(name()),
                    "the configuration was not applied, although the device accepted it: "
                            + String.join(", ", remaining),
                    "check whether another program changes this device"));
        }
    }

    @Override
    public final synchronized void moveEndpoint(PublicKey peer, InetSocketAddress endpoint) {
        PeerState now = read().peers().stream()
                .filter(candidate -> candidate.publicKey().equals(peer))
                .findFirst()
                .orElseThrow(() -> new ProblemException(
                        Problem.failure(Place.machine(name()), "peer " + peer.shortText() + " not found", "")));
        DeviceChange.moving(peer, endpoint, now.keepaliveSeconds()).forEach(this::tell);
    }

    @Override
    public final synchronized void announce(Instant heard) {
        for (PeerState peer : read().peers()) {
            if (peer.lastHandshake().filter(it -> !it.isBefore(heard)).isPresent()) {
                peer.endpoint()
                        .ifPresent(at -> DeviceChange.moving(peer.publicKey(), at, peer.keepaliveSeconds())
                                .forEach(this::tell));
            }
        }
    }

    /** @param words the error message of the kernel; often empty */
    final ProblemException refused(int errno, String words) {
        Place place = Place.machine(name());
        return new ProblemException(
                errno == Errno.EADDRINUSE
                        ? Problem.failure(
                                place,
                                "the UDP port is already in use",
                                "choose another ListenPort, remove it, or stop the program that uses the port")
                        : Problem.failure(
                                place,
                                "cannot be configured: " + Errno.text(errno) + (words.isEmpty() ? "" : ": " + words),
                                errno == Errno.EPERM ? Hints.here().netAdmin() : ""));
    }
}
