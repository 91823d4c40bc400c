package io.culvert.health;

import io.culvert.device.DeviceState;
import io.culvert.device.DeviceState.PeerState;
import java.time.Instant;

/**
 * The last time that something was seen to come in through the tunnel.
 *
 * @param received bytes in all, by then
 * @param sent bytes in all, by then
 * @param at when it was seen, which may be some seconds after it came
 */
public record Heard(long received, long sent, Instant at) {

    /** Before anything was seen. */
    public static Heard nothing(Instant now) {
        return new Heard(0, 0, now);
    }

    /** The same, where nothing has come in since. */
    public Heard and(DeviceState device, Instant now) {
        long in = received(device);
        return in == received ? this : new Heard(in, sent(device), now);
    }

    /** Bytes that were sent since, and that nothing has answered. */
    long unanswered(DeviceState device) {
        return sent(device) - sent;
    }

    private static long received(DeviceState device) {
        return device.peers().stream().mapToLong(PeerState::receivedBytes).sum();
    }

    private static long sent(DeviceState device) {
        return device.peers().stream().mapToLong(PeerState::sentBytes).sum();
    }
}
