// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import io.culvert.roaming.EndpointPolicy.ProbeResult;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.DeviceState.PeerState;
import io.culvert.wireguard.device.ManagedDevice;
import io.culvert.wireguard.device.WireGuardTimers;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Probes an endpoint with the WireGuard protocol: only an authenticated packet of the peer increases the device's
 * receive counter and sets the endpoint to its source. The echo request only makes the peer send one.
 *
 * <p>A device has one endpoint for each peer, and every packet from the previous endpoint sets it back. So for the
 * duration of a probe packets from the previous endpoint are dropped; they are lost like any other packet on the
 * network.
 */
final class EndpointProber {

    /** The maximum duration of a probe, during which a peer is not reached at its previous endpoint. */
    private static final Duration TIMEOUT = Duration.ofSeconds(1);

    /**
     * The maximum duration of a probe without a session, which has to wait for the next handshake initiation: WireGuard
     * sends one every {@code REKEY_TIMEOUT} plus at most a third of a second (white paper, section 6.4).
     */
    private static final Duration TIMEOUT_WITHOUT_SESSION = WireGuardTimers.REKEY_TIMEOUT.plusSeconds(1);

    private static final int ECHO_MILLIS = 150;

    /**
     * The time until packets in flight to and from the previous endpoint have arrived: an intercontinental round trip.
     */
    private static final Duration IN_FLIGHT_TIME = Duration.ofMillis(400);

    private static final int CHECK_ATTEMPTS = 4;

    private final ManagedDevice device;
    private final BlockedEndpoint blockedEndpoint;
    private final InstantSource clock;
    private final CountDownLatch stopped;

    /**
     * Creates an endpoint prober for a device.
     *
     * @param stopped ends every wait
     */
    EndpointProber(ManagedDevice device, BlockedEndpoint blockedEndpoint, InstantSource clock, CountDownLatch stopped) {
        this.device = device;
        this.blockedEndpoint = blockedEndpoint;
        this.clock = clock;
        this.stopped = stopped;
    }

    /** Probes the current endpoint of the peer. */
    ProbeResult probeCurrent(RoamingPeer peer) {
        Optional<PeerState> before = read(peer);
        for (int i = 0; i < CHECK_ATTEMPTS && !isStopped(); i++) {
            if (sendEcho(peer)) {
                return ProbeResult.ECHO;
            }
            Optional<PeerState> now = read(peer);
            if (received(now) != received(before)) {
                return ProbeResult.PACKET;
            }
        }
        return ProbeResult.NONE;
    }

    /** Sets the endpoint of the peer, and restores the previous one unless the peer responds there. */
    ProbeResult probeCandidate(RoamingPeer peer, InetSocketAddress to) {
        Optional<DeviceState> deviceState = this.device.read();
        Optional<PeerState> before = read(peer);
        Optional<InetSocketAddress> previous = before.flatMap(PeerState::endpoint);
        boolean hasSession =
                before.filter(state -> state.hasSession(clock.instant())).isPresent();
        if (deviceState.isEmpty()) {
            return ProbeResult.NONE;
        }
        previous.ifPresent(
                endpoint -> blockedEndpoint.block(endpoint, deviceState.get().listenPort()));
        try {
            ProbeResult result = awaitLastingResponse(peer, to, hasSession ? TIMEOUT : TIMEOUT_WITHOUT_SESSION);
            if (result == ProbeResult.NONE) {
                // If it is another endpoint by now, the peer has roamed there.
                previous.filter(_ -> isAt(peer, to)).ifPresent(endpoint -> setEndpoint(peer, endpoint));
            }
            return result;
        } finally {
            blockedEndpoint.unblock();
        }
    }

    void setEndpoint(RoamingPeer peer, InetSocketAddress to) {
        device.setEndpoint(peer.key(), to);
    }

    private ProbeResult awaitLastingResponse(RoamingPeer peer, InetSocketAddress to, Duration timeout) {
        ProbeResult first = awaitResponse(peer, to, timeout);
        if (first == ProbeResult.NONE || awaitInFlightPackets()) {
            return ProbeResult.NONE;
        }
        // The last packet sent to the previous endpoint may make the peer reset its endpoint for this machine: check
        // once more.
        return awaitResponse(peer, to, TIMEOUT) == ProbeResult.NONE ? ProbeResult.NONE : first;
    }

    private ProbeResult awaitResponse(RoamingPeer peer, InetSocketAddress to, Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        setEndpoint(peer, to);
        Optional<PeerState> before = read(peer);
        while (System.nanoTime() < deadline && !isStopped()) {
            boolean gotEcho = sendEcho(peer);
            Optional<PeerState> now = read(peer);
            if (now.flatMap(PeerState::endpoint).filter(to::equals).isEmpty()) {
                setEndpoint(peer, to);
                before = read(peer);
            } else if (received(now) != received(before)) {
                return gotEcho ? ProbeResult.ECHO : ProbeResult.PACKET;
            }
        }
        return ProbeResult.NONE;
    }

    private boolean sendEcho(RoamingPeer peer) {
        try {
            if (!peer.tunnelAddresses().isEmpty()) {
                return peer.tunnelAddresses().getFirst().isReachable(ECHO_MILLIS);
            }
        } catch (IOException _) {
            // No route to the tunnel address at the moment.
        }
        var _ = pauseUntilStopped(Duration.ofMillis(ECHO_MILLIS));
        return false;
    }

    private boolean isAt(RoamingPeer peer, InetSocketAddress endpoint) {
        return read(peer).flatMap(PeerState::endpoint).filter(endpoint::equals).isPresent();
    }

    private Optional<PeerState> read(RoamingPeer peer) {
        return device.read().stream()
                .flatMap(state -> state.peers().stream())
                .filter(state -> state.publicKey().equals(peer.key()))
                .findFirst();
    }

    private static long received(Optional<PeerState> peer) {
        return peer.map(PeerState::receivedBytes).orElse(0L);
    }

    private boolean awaitInFlightPackets() {
        return pauseUntilStopped(IN_FLIGHT_TIME);
    }

    /**
     * Waits for a time, or until probes are stopped.
     *
     * @return whether probes are stopped
     */
    private boolean pauseUntilStopped(Duration time) {
        try {
            return stopped.await(time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    private boolean isStopped() {
        return stopped.getCount() == 0 || Thread.currentThread().isInterrupted();
    }
}
