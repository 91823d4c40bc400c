package io.culvert.health;

import io.culvert.device.DeviceState;
import io.culvert.device.DeviceState.PeerState;
import java.time.Instant;

/**
 * When the tunnel's receive counter was last seen to grow.
 *
 * @param received total bytes received at that time
 * @param sent total bytes sent at that time
 * @param at when it was observed, which may be some seconds after the packet arrived
 */
public record Heard(long received, long sent, Instant at) {

    /** Returns the value for a device that has received nothing yet. */
    public static Heard nothing(Instant now) {
        return new Heard(0, 0, now);
    }

    /** Returns the value updated from the device's counters; this one if nothing was received since. */
    public Heard and(DeviceState device, Instant now) {
        long in = received(device);
        return in == received ? this : new Heard(in, sent(device), now);
    }

    /** Returns the number of bytes sent since anything was last received. */
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
