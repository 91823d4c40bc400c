// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.util.Optional;

/**
 * A route by which packets leave this machine outside Culvert's tunnels; one for each hop of a multipath route.
 *
 * @param destination with host bits cleared
 * @param gateway empty if the destination is on the link itself
 * @param metric lower is better
 */
public record MainRoute(Prefix destination, String link, Optional<InetAddress> gateway, long metric) {

    public MainRoute {
        destination = destination.network();
    }
}
