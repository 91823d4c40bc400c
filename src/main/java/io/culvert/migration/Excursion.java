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
 * Finds out by WireGuard itself whether a peer is somewhere: only a packet that the peer has sealed raises what the device
 * counts as received, and moves the endpoint to where it came from. The echo is but the reason for the peer to send one.
 *
 * <p>A device has one endpoint for a peer, and every packet that comes from the former place moves it back there. So for the
 * time of a visit the former place is not listened to; what comes from there meanwhile is lost like any packet on the way.
 */
final class Excursion {

    /** The longest that a visit to the wrong place keeps a peer from its right one. */
    private static final Duration LONGEST = Duration.ofSeconds(1);

    /**
     * Who has no session leaves nothing to visit another place, and has to wait there for the next call: WireGuard calls every
     * {@code REKEY_TIMEOUT} and a third of a second at most (white paper, section 6.1 and 6.4).
     */
    private static final Duration LONGEST_WITHOUT_SESSION = Duration.ofSeconds(6);

    private static final int ECHO_MILLIS = 150;

    /** Until what was under way by the former way has come in: a round trip to the other side of the world. */
    private static final Duration AFTERMATH = Duration.ofMillis(400);

    private static final int CHECKS = 4;

    private final KeptDevice device;
    private final ClosedPlace closed;
    private final InstantSource clock;
    private final CountDownLatch end;

    /** @param end ends every wait */
    Excursion(KeptDevice device, ClosedPlace closed, InstantSource clock, CountDownLatch end) {
        this.device = device;
        this.closed = closed;
        this.clock = clock;
        this.end = end;
    }

    /** Asks the peer where it is. */
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

    /** Moves the peer to a place, and back unless it answers there. */
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
                // Elsewhere by now: there the peer has gone by itself.
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
        // What the peer got from us by the former way, last of all, has called it back there: so once more.
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
            // No way into the tunnel just now.
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

    /** @return whether it is the end */
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
