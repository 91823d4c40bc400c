// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import io.culvert.status.StatusReport;
import io.culvert.wireguard.device.DeviceState;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The figures of a running exit node at one moment.
 *
 * @param tunnel the name of the tunnel's link
 * @param devices the WireGuard devices of tunnel and mesh, by the names of their links
 * @param serverChanges how often another server was selected without a request
 * @param restorations how often the kill switch was restored after another program had changed it
 * @param auditViolations the packets that may leave or come in although the settings do not allow it
 * @param lossPercent of probes through the tunnel; empty before there are enough samples
 * @param roundTrip of probes through the tunnel, the median; empty before the first answer
 */
public record ExitNodeFigures(
        StatusReport status,
        String tunnel,
        Map<String, DeviceState> devices,
        long serverChanges,
        long restorations,
        int auditViolations,
        Optional<Integer> lossPercent,
        Optional<Duration> roundTrip) {

    public ExitNodeFigures {
        devices = Collections.unmodifiableMap(new TreeMap<>(devices));
    }
}
