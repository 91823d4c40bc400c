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

/** What is the same for every device: what to tell it, and that it is read back. */
abstract sealed class ConfiguredDevice implements WireGuardDevice permits KernelDevice, UserspaceDevice {

    /** @throws ProblemException when the device refuses */
    abstract void tell(DeviceChange change);

    @Override
    public final synchronized void configure(DeviceConfig config) {
        PublicKey own = Keys.publicOf(config.privateKey());
        if (config.peers().stream().anyMatch(peer -> peer.publicKey().equals(own))) {
            // Devices pass over such a peer without a word.
            throw new ProblemException(Problem.input(
                    Place.machine(name()),
                    "peer " + own.shortText() + " has the public key of this device itself",
                    "put the other side's public key there"));
        }
        DeviceChange change = DeviceChange.between(config, read());
        if (!change.isEmpty()) {
            tell(change);
        }
        List<String> remaining = DeviceChange.remaining(config, read());
        if (!remaining.isEmpty()) {
            throw new ProblemException(Problem.failure(
                    Place.machine(name()),
                    "the device took the configuration but does not have it: " + String.join(", ", remaining),
                    "look whether another program changes this device too"));
        }
    }

    @Override
    public final synchronized void moveEndpoint(PublicKey peer, InetSocketAddress endpoint) {
        PeerState now = read().peers().stream()
                .filter(candidate -> candidate.publicKey().equals(peer))
                .findFirst()
                .orElseThrow(() -> new ProblemException(Problem.failure(
                        Place.machine(name()), "there is no peer " + peer.shortText() + " to be moved", "")));
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

    /** @param words the kernel's own; often empty */
    final ProblemException refused(int errno, String words) {
        Place place = Place.machine(name());
        return new ProblemException(
                errno == Errno.EADDRINUSE
                        ? Problem.failure(
                                place,
                                "its UDP port is in use",
                                "choose another ListenPort, or none, or end the program that has it")
                        : Problem.failure(
                                place,
                                "the device refuses: " + Errno.text(errno) + (words.isEmpty() ? "" : ": " + words),
                                errno == Errno.EPERM ? Hints.here().netAdmin() : ""));
    }
}
