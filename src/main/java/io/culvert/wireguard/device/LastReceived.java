// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.wireguard.device.DeviceState.PeerState;
import java.time.Instant;

/**
 * When the tunnel's receive counter last increased.
 *
 * @param received total bytes received at that time
 * @param sent total bytes sent at that time
 * @param at when it was observed, which may be some seconds after the packet arrived
 */
public record LastReceived(long received, long sent, Instant at) {

    /** Returns the value for a device that has received nothing yet. */
    public static LastReceived initial(Instant now) {
        return new LastReceived(0, 0, now);
    }

    /** Returns the value updated from the device's counters; this one if nothing was received since. */
    public LastReceived updated(DeviceState device, Instant now) {
        long in = received(device);
        return in == received ? this : new LastReceived(in, sent(device), now);
    }

    /** Returns the number of bytes sent since anything was last received. */
    long unansweredBytes(DeviceState device) {
        return sent(device) - sent;
    }

    private static long received(DeviceState device) {
        return device.peers().stream().mapToLong(PeerState::receivedBytes).sum();
    }

    private static long sent(DeviceState device) {
        return device.peers().stream().mapToLong(PeerState::sentBytes).sum();
    }
}
