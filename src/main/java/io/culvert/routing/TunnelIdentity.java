// SPDX-License-Identifier: Apache-2.0
package io.culvert.routing;

import io.culvert.net.Marks;

/**
 * What distinguishes an exit node's tunnel on the machine.
 *
 * @param link name of its interface
 * @param table number of its routing table
 * @param marks firewall marks of its own sockets and of the DNS stub's
 */
public record TunnelIdentity(String link, long table, Marks marks) {

    /**
     * Returns the identity of the only tunnel: interface wg0, whatever its file is called, because kill switch, Dante's
     * configuration and users rely on it, and table 51820, the number that wg-quick uses, which users know.
     *
     * @param mark of the tunnel's own sockets
     */
    public static TunnelIdentity withMark(long mark) {
        return new TunnelIdentity("wg0", 51820, Marks.withTunnel(mark));
    }
}
