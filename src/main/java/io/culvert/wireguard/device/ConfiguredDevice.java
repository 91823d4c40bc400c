// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Errno;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceState.PeerState;
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
    abstract void apply(DeviceChange change);

    @Override
    public final synchronized void configure(DeviceConfig config) {
        PublicKey publicKey = KeyGenerator.publicOf(config.privateKey());
        if (config.peers().stream().anyMatch(peer -> peer.publicKey().equals(publicKey))) {
            // Devices silently ignore such a peer.
            throw new ProblemException(Problem.input(
                    Location.machine(name()),
                    "peer " + publicKey.shortText() + " has this device's own public key",
                    "set the peer's public key"));
        }
        DeviceChange change = DeviceChange.between(config, read());
        if (!change.isEmpty()) {
            apply(change);
        }
        List<String> remaining = DeviceChange.remaining(config, read());
        if (!remaining.isEmpty()) {
            throw new ProblemException(Problem.failure(
                    Location.machine(name()),
                    "the configuration was not applied, although the device accepted it: "
                            + String.join(", ", remaining),
                    "check whether another program changes this device"));
        }
    }

    @Override
    public final synchronized void setEndpoint(PublicKey peer, InetSocketAddress endpoint) {
        PeerState now = read().peers().stream()
                .filter(candidate -> candidate.publicKey().equals(peer))
                .findFirst()
                .orElseThrow(() -> new ProblemException(
                        Problem.failure(Location.machine(name()), "peer " + peer.shortText() + " not found", "")));
        DeviceChange.endpointChange(peer, endpoint, now.keepaliveSeconds()).forEach(this::apply);
    }

    @Override
    public final synchronized void announceNewAddresses(Instant since) {
        for (PeerState peer : read().peers()) {
            if (peer.lastHandshake().filter(it -> !it.isBefore(since)).isPresent()) {
                peer.endpoint()
                        .ifPresent(at -> DeviceChange.endpointChange(peer.publicKey(), at, peer.keepaliveSeconds())
                                .forEach(this::apply));
            }
        }
    }

    /** @param words the error message of the kernel; often empty */
    final ProblemException refused(int errno, String words) {
        Location location = Location.machine(name());
        return new ProblemException(
                errno == Errno.EADDRINUSE
                        ? Problem.failure(
                                location,
                                "the UDP port is already in use",
                                "choose another ListenPort, remove it, or stop the program that uses the port")
                        : Problem.failure(
                                location,
                                "cannot be configured: " + Errno.describe(errno)
                                        + (words.isEmpty() ? "" : ": " + words),
                                errno == Errno.EPERM ? Hints.here().netAdmin() : ""));
    }
}
