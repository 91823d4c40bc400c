package io.culvert.migration;

import io.culvert.device.DeviceState;
import io.culvert.device.DeviceState.PeerState;
import io.culvert.device.KeptDevice;
import io.culvert.migration.Course.Answer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Probes an endpoint by means of WireGuard itself: only an authenticated packet of the peer increases the device's
 * receive counter and sets the endpoint to its source. The echo request only makes the peer send one.
 *
 * <p>A device has one endpoint for each peer, and every packet from the previous endpoint sets it back. So for the
 * duration of a probe packets from the previous endpoint are dropped; they are lost like any other packet on the
 * network.
 */
final class Excursion {

    /** The maximum duration of a probe, during which a peer is not reached at its previous endpoint. */
    private static final Duration LONGEST = Duration.ofSeconds(1);

    /**
     * The maximum duration of a probe without a session, which has to wait for the next handshake initiation: WireGuard
     * sends one every {@code REKEY_TIMEOUT} plus at most a third of a second (white paper, sections 6.1 and 6.4).
     */
    private static final Duration LONGEST_WITHOUT_SESSION = Duration.ofSeconds(6);

    private static final int ECHO_MILLIS = 150;

    /**
     * The time until packets in flight to and from the previous endpoint have arrived: an intercontinental round trip.
     */
    private static final Duration AFTERMATH = Duration.ofMillis(400);

    private static final int CHECKS = 4;

    private final KeptDevice device;
    private final ClosedPlace closed;
    private final InstantSource clock;
    private final CountDownLatch end;

    /**
     * Creates the prober of a device.
     *
     * @param end ends every wait
     */
    Excursion(KeptDevice device, ClosedPlace closed, InstantSource clock, CountDownLatch end) {
        this.device = device;
        this.closed = closed;
        this.clock = clock;
        this.end = end;
    }

    /** Probes the current endpoint of the peer. */
    Answer check(MovingPeer peer) {
        Optional<PeerState> before = read(peer);
        for (int i = 0; i < CHECKS && !ended(); i++) {
            if (echo(peer)) {
                return Answer.ECHO;
            }
            Optional<PeerState> now = read(peer);
            if (received(now) != received(before)) {
                return Answer.PACKET;
            }
        }
        return Answer.NONE;
    }

    /** Sets the endpoint of the peer, and restores the previous one unless the peer responds there. */
    Answer visit(MovingPeer peer, InetSocketAddress to) {
        Optional<DeviceState> device = this.device.read();
        Optional<PeerState> before = read(peer);
        Optional<InetSocketAddress> from = before.flatMap(PeerState::endpoint);
        boolean session = before.filter(state -> MovingPeer.hasSession(state, clock.instant()))
                .isPresent();
        if (device.isEmpty()) {
            return Answer.NONE;
        }
        from.ifPresent(place -> closed.close(place, device.get().listenPort()));
        try {
            Answer answer = stay(peer, to, session ? LONGEST : LONGEST_WITHOUT_SESSION);
            if (answer == Answer.NONE) {
                // If it is another endpoint by now, the peer has roamed there.
                from.filter(_ -> isAt(peer, to)).ifPresent(place -> move(peer, place));
            }
            return answer;
        } finally {
            closed.open();
        }
    }

    void move(MovingPeer peer, InetSocketAddress to) {
        device.moveEndpoint(peer.key(), to);
    }

    private Answer stay(MovingPeer peer, InetSocketAddress to, Duration longest) {
        Answer first = await(peer, to, longest);
        if (first == Answer.NONE || pause()) {
            return Answer.NONE;
        }
        // The last packet that we sent to the previous endpoint may make the peer set ours back: check once more.
        return await(peer, to, LONGEST) == Answer.NONE ? Answer.NONE : first;
    }

    private Answer await(MovingPeer peer, InetSocketAddress to, Duration longest) {
        long deadline = System.nanoTime() + longest.toNanos();
        move(peer, to);
        Optional<PeerState> before = read(peer);
        while (System.nanoTime() < deadline && !ended()) {
            boolean echo = echo(peer);
            Optional<PeerState> now = read(peer);
            if (now.flatMap(PeerState::endpoint).filter(to::equals).isEmpty()) {
                move(peer, to);
                before = read(peer);
            } else if (received(now) != received(before)) {
                return echo ? Answer.ECHO : Answer.PACKET;
            }
        }
        return Answer.NONE;
    }

    private boolean echo(MovingPeer peer) {
        try {
            if (!peer.inner().isEmpty()) {
                return peer.inner().getFirst().isReachable(ECHO_MILLIS);
            }
        } catch (IOException _) {
            // No route to the tunnel address at the moment.
        }
        var _ = pause(Duration.ofMillis(ECHO_MILLIS));
        return false;
    }

    private boolean isAt(MovingPeer peer, InetSocketAddress place) {
        return read(peer).flatMap(PeerState::endpoint).filter(place::equals).isPresent();
    }

    private Optional<PeerState> read(MovingPeer peer) {
        return device.read().stream()
                .flatMap(state -> state.peers().stream())
                .filter(state -> state.publicKey().equals(peer.key()))
                .findFirst();
    }

    private static long received(Optional<PeerState> peer) {
        return peer.map(PeerState::receivedBytes).orElse(0L);
    }

    private boolean pause() {
        return pause(AFTERMATH);
    }

    /**
     * Waits for a time, or until probes are to end.
     *
     * @return whether probes are to end
     */
    private boolean pause(Duration time) {
        try {
            return end.await(time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    private boolean ended() {
        return end.getCount() == 0 || Thread.currentThread().isInterrupted();
    }
}
