// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Log;
import io.culvert.linux.Container;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.util.List;
import java.util.OptionalInt;

/**
 * All settings, validated, with defaults for those that are unset.
 *
 * @param socks the SOCKS5 proxy; its clients and login are those of the HTTP proxy too
 * @param httpProxy the port of the HTTP proxy; empty if it is off
 * @param gatewayClients networks whose machines may use this node as their gateway; empty if it is none
 * @param dns servers reached through the tunnel; empty for those of the tunnel's file
 * @param mtu of the tunnel, in bytes; empty to take it from the file and the uplink
 * @param mark the firewall mark of Culvert's own WireGuard packets, 1 to 0xffffffff, bits 8 to 23 clear
 * @param leakTest whether a leak test runs after each connect
 */
public record Settings(
        WireGuardSettings wireGuard,
        MeshSettings mesh,
        List<BypassEntry> bypasses,
        SocksSettings socks,
        OptionalInt httpProxy,
        List<Prefix> gatewayClients,
        List<Port> published,
        LanAllow lan,
        List<InetAddress> dns,
        OptionalInt mtu,
        long mark,
        ForwardedPortSettings forwardedPort,
        HttpSettings http,
        Container.Choice container,
        boolean leakTest,
        Log.Level log) {

    public Settings {
        bypasses = List.copyOf(bypasses);
        gatewayClients = List.copyOf(gatewayClients);
        published = List.copyOf(published);
        dns = List.copyOf(dns);
    }
}
