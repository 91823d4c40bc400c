package io.culvert.settings;

import io.culvert.linux.Container;
import java.net.InetAddress;
import java.util.List;
import java.util.OptionalInt;

/**
 * Everything the user has set, checked; defaults filled in.
 *
 * @param dns asked through the tunnel; empty leaves it to the tunnel's file
 * @param mtu of the tunnel, in bytes; empty leaves it to the file and the uplink
 * @param mark of our own WireGuard packets, 1 to 0xffffffff, bits 8 to 23 clear
 */
public record Settings(
        WireGuardSettings wireGuard,
        MeshSettings mesh,
        List<Holepunch> holepunch,
        SocksSettings socks,
        List<Published> published,
        LanAllow lan,
        List<InetAddress> dns,
        OptionalInt mtu,
        long mark,
        Container.Choice container,
        LogLevel log) {

    public Settings {
        holepunch = List.copyOf(holepunch);
        published = List.copyOf(published);
        dns = List.copyOf(dns);
    }
}
