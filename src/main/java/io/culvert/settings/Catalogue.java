// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Log;
import io.culvert.linux.Container;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import io.culvert.settings.Setting.Group;
import io.culvert.wireguard.device.ImplementationChoice;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The catalogue of all settings. Parsing, {@code --help}, the table in docs/settings.md and the hints for misspelt names come
 * from here.
 */
public final class Catalogue {

    static final Setting<Path> WIREGUARD_CONFIG = optional(
            Group.TUNNEL,
            "CULVERT_WIREGUARD_CONFIG",
            List.of("TSWG_WGCONF", "WG_CONFIG"),
            FilePath::parse,
            "all `*.conf` files in `/etc/wireguard`",
            "a wg-quick file, or a directory of them: the first by name is used, the next if its server does not"
                    + " respond");

    static final Setting<ServerOrder> SERVER_ORDER = withDefault(
            Group.TUNNEL,
            "CULVERT_SERVER_ORDER",
            List.of(),
            EnumWord.of(ServerOrder.values()).redacted(),
            "file",
            "the order in which several files are used: `file` (by name), `latency` (by handshakes, measured at the start"
                    + " with one after another) or `random` (by host name, so that replicas differ)");

    static final Setting<WaitTime> SERVER_RETURN = withDefault(
            Group.TUNNEL,
            "CULVERT_SERVER_RETURN",
            List.of(),
            Parser.of(WaitTime::parse).redacted(),
            "5m",
            "the time after which the first file is used again when another one took its place, preferably at a moment"
                    + " without traffic: `90s`, `5m`, `2h`, or `off`; twice as long each time that it fails again");

    static final Setting<Boolean> PROBE = withDefault(
            Group.TUNNEL,
            "CULVERT_PROBE",
            List.of(),
            Parser.of(BooleanWord::parse).redacted(),
            "on",
            "`off` sends no probes (DNS queries and pings to the tunnel's DNS servers, while there is traffic, else every 30"
                    + " s) through the tunnel: a server that stops responding is then detected by WireGuard's timers only");

    static final Setting<ImplementationChoice> WIREGUARD_IMPLEMENTATION = withDefault(
            Group.TUNNEL,
            "CULVERT_WIREGUARD_IMPLEMENTATION",
            List.of(),
            EnumWord.of(ImplementationChoice.values()).redacted(),
            "auto",
            "the WireGuard implementation: `auto`, `kernel` or `userspace`");

    static final Setting<MemoryLimit> WIREGUARD_MEMORY = withDefault(
            Group.TUNNEL,
            "CULVERT_WIREGUARD_MEMORY",
            List.of(),
            Parser.of(MemoryLimit::parse).redacted(),
            "96MiB",
            "soft memory limit of the userspace WireGuard (`GOMEMLIMIT`), or `off`");

    static final Setting<List<InetAddress>> DNS = optional(
            Group.TUNNEL,
            "CULVERT_DNS",
            List.of(),
            new ItemList<>(DnsServer::parse),
            "`DNS=` in the file, else a public resolver",
            "addresses of the DNS servers, which are reached through the tunnel only");

    static final Setting<Integer> MTU = optional(
            Group.TUNNEL,
            "CULVERT_MTU",
            List.of(),
            new WholeNumber("MTU", 576, 65535).redacted(),
            "`MTU=` in the file, else the uplink's MTU less 80 (60 for an IPv4 server), at most 1420",
            "MTU of the tunnel, in bytes");

    static final Setting<Long> MARK = withDefault(
            Group.TUNNEL,
            "CULVERT_MARK",
            List.of(),
            Parser.of(Mark::parse).redacted(),
            "0x51000000",
            "firewall mark (fwmark) of the tunnel's own packets; bits 8 to 23 must be clear");

    static final Setting<MeshSettings.Kind> MESH = withDefault(
            Group.MESH,
            "CULVERT_MESH",
            List.of(),
            EnumWord.of(MeshSettings.Kind.values()).redacted(),
            "tailscale",
            "the type of the exit node: `tailscale` (Tailscale or Headscale), `wireguard` (clients of a second"
                    + " WireGuard interface) or `none`");

    static final Setting<Path> MESH_CONFIG = optional(
            Group.MESH,
            "CULVERT_MESH_CONFIG",
            List.of(),
            FilePath::parse,
            "",
            "for `CULVERT_MESH=wireguard`: the wg-quick file of the mesh interface, or a network file with"
                    + " `CULVERT_MESH_NODE`");

    static final Setting<String> MESH_NODE = optional(
            Group.MESH,
            "CULVERT_MESH_NODE",
            List.of(),
            Parser.of(PeerName::parse).redacted(),
            "",
            "the name of this node in the network file of `CULVERT_MESH_CONFIG`");

    static final Setting<WaitTime> WITHDRAW_AFTER = withDefault(
            Group.MESH,
            "CULVERT_WITHDRAW_AFTER",
            List.of(),
            Parser.of(WaitTime::parse).redacted(),
            "off",
            "with Tailscale, the time without a server that responds after which the exit node is no longer advertised: `90s`,"
                    + " `5m`, `2h`; it is advertised again when one responds");

    static final Setting<Boolean> SOCKS = withDefault(
            Group.PROXIES,
            "CULVERT_SOCKS",
            List.of("TSWG_SOCKD_ENABLED"),
            Parser.of(BooleanWord::parse).redacted(),
            "false",
            "`true` starts a SOCKS5 proxy that connects through the tunnel");

    static final Setting<Integer> SOCKS_PORT = withDefault(
            Group.PROXIES,
            "CULVERT_SOCKS_PORT",
            List.of("TSWG_SOCKD_PORT"),
            WholeNumber.PORT.redacted(),
            "1080",
            "TCP port of the SOCKS5 proxy");

    static final Setting<PortRange> SOCKS_UDP_PORTS = withDefault(
            Group.PROXIES,
            "CULVERT_SOCKS_UDP_PORTS",
            List.of(),
            Parser.of(PortRange::parse).redacted(),
            "1081-1096",
            "UDP ports of the SOCKS5 proxy for clients outside the mesh and the allowed local networks, one per UDP"
                    + " association; publish them too, or set `none`");

    static final Setting<Path> SOCKS_CONFIG = optional(
            Group.PROXIES,
            "CULVERT_SOCKS_CONFIG",
            List.of("TSWG_SOCKD_FILE"),
            FilePath::parse,
            "",
            "a `sockd.conf` of your own, which replaces the settings for port, clients and login of the SOCKS5 proxy");

    static final Setting<Boolean> HTTP_PROXY = withDefault(
            Group.PROXIES,
            "CULVERT_HTTP_PROXY",
            List.of(),
            Parser.of(BooleanWord::parse).redacted(),
            "false",
            "`true` starts an HTTP proxy that connects through the tunnel, for the same clients and with the same login as the"
                    + " SOCKS5 proxy");

    static final Setting<Integer> HTTP_PROXY_PORT = withDefault(
            Group.PROXIES,
            "CULVERT_HTTP_PROXY_PORT",
            List.of(),
            WholeNumber.PORT.redacted(),
            "8888",
            "TCP port of the HTTP proxy");

    static final Setting<List<Prefix>> SOCKS_ALLOW = withDefault(
            Group.PROXIES,
            "CULVERT_SOCKS_ALLOW",
            List.of(),
            new ItemList<>(NetworkPrefix::parse),
            // With the shared range, which has the addresses of tailnets.
            SpecialRange.text(
                    SpecialRange.PRIVATE_10,
                    SpecialRange.PRIVATE_172,
                    SpecialRange.PRIVATE_192,
                    SpecialRange.SHARED,
                    SpecialRange.LOOPBACK_IPV4,
                    SpecialRange.UNIQUE_LOCAL,
                    SpecialRange.LOOPBACK_IPV6),
            "networks whose clients may use the proxies");

    static final Setting<AccountName> SOCKS_USER = optional(
            Group.PROXIES,
            "CULVERT_SOCKS_USER",
            List.of(),
            Parser.<AccountName>of(AccountName::new).redacted(),
            "no authentication",
            "user name for the proxies");

    static final Setting<Password> SOCKS_PASSWORD = secret(
            Group.PROXIES, "CULVERT_SOCKS_PASSWORD", Password::parse, "no authentication", "password for the proxies");

    static final Setting<String> SOCKS_TIMEIN = optional(
            Group.PROXIES,
            "TSWG_SOCKD_TIMEIN",
            List.of(),
            Parser.<String>of(text -> text).redacted(),
            "",
            "accepted for compatibility and ignored: the proxy starts without a delay");

    static final Setting<Boolean> GATEWAY = withDefault(
            Group.GATEWAY,
            "CULVERT_GATEWAY",
            List.of(),
            Parser.of(BooleanWord::parse).redacted(),
            "false",
            "`true` lets machines and containers of `CULVERT_GATEWAY_CLIENTS` use this node as their gateway: what they send leaves"
                    + " through the tunnel or not at all");

    static final Setting<List<Prefix>> GATEWAY_CLIENTS = optional(
            Group.GATEWAY,
            "CULVERT_GATEWAY_CLIENTS",
            List.of(),
            new ItemList<>(NetworkPrefix::parse),
            "",
            "networks whose machines may use this node as their gateway, such as `192.168.1.0/24, fd00:1::/64`");

    static final Setting<List<BypassEntry>> BYPASS = optional(
            Group.OUTSIDE,
            "CULVERT_BYPASS",
            List.of("CULVERT_HOLEPUNCH", "TSWG_HOLEPUNCH_ENDPOINTS", "HOLEPUNCH_ENDPOINTS"),
            new ItemList<>(BypassEntry::parse),
            "",
            "destinations that local processes reach outside the tunnel: `host:port`, `ip:port`, `[ipv6]:port`, an"
                    + " address or a network, each with an optional `/tcp` or `/udp`");

    static final Setting<List<Port>> PUBLISH = optional(
            Group.OUTSIDE,
            "CULVERT_PUBLISH",
            List.of(),
            new ItemList<>(PublishedPort::parse),
            "",
            "ports of services in this network namespace to open on the uplink: `8080`, `53/udp`");

    static final Setting<LanAllow> LAN_ALLOW = withDefault(
            Group.OUTSIDE,
            "CULVERT_LAN_ALLOW",
            List.of(),
            LanAllow::parse,
            "auto",
            "networks reachable outside the tunnel, in both directions: `auto` (connected private ranges), `none`, or"
                    + " a list of networks");

    static final Setting<ForwardedPortSource> FORWARDED_PORT = withDefault(
            Group.FORWARDED_PORT,
            "CULVERT_FORWARDED_PORT",
            List.of(),
            Parser.of(ForwardedPortSource::parse).redacted(),
            "off",
            "the port that the provider forwards through the tunnel to programs in this network namespace: `auto` requests one"
                    + " from its gateway and renews it, `natpmp` and `pcp` by this protocol only; a number is the port that"
                    + " the provider assigned");

    static final Setting<InetAddress> FORWARDED_PORT_GATEWAY = optional(
            Group.FORWARDED_PORT,
            "CULVERT_FORWARDED_PORT_GATEWAY",
            List.of(),
            Parser.of(GatewayAddress::parse).redacted(),
            "the tunnel's first DNS server",
            "IPv4 address of the provider's gateway in the tunnel, from which the port is requested");

    static final Setting<Path> FORWARDED_PORT_PATH = optional(
            Group.FORWARDED_PORT,
            "CULVERT_FORWARDED_PORT_PATH",
            List.of(),
            FilePath::parse,
            "",
            "a file that the port is written to, for other programs; it is removed while there is none");

    static final Setting<List<HttpAddress>> HTTP = optional(
            Group.HTTP,
            "CULVERT_HTTP",
            List.of(),
            new ItemList<>(HttpAddress::parse),
            "off",
            "addresses on which the HTTP control server listens: `127.0.0.1:8000`, `[::1]:8000`, `mesh:8000` (the mesh"
                    + " interface's addresses), `unix:/run/culvert/http.sock`; reading needs no login there");

    static final Setting<HttpToken> HTTP_TOKEN = secret(
            Group.HTTP,
            "CULVERT_HTTP_TOKEN",
            HttpToken::parse,
            "changes are refused",
            "token that a client of the HTTP control server has to send to change anything, at least 16 characters");

    static final Setting<Path> SETTINGS = optional(
            Group.OTHER,
            "CULVERT_SETTINGS",
            List.of(),
            FilePath::parse,
            "",
            "a file of further settings, `NAME=value` lines as for `docker run --env-file`; the environment takes precedence. Unlike"
                    + " the environment, it can be changed while the exit node runs");

    static final Setting<Container.Choice> CONTAINER = withDefault(
            Group.OTHER,
            Container.VARIABLE,
            List.of(),
            Parser.of(ContainerChoice::parse).redacted(),
            "auto",
            "whether Culvert runs in a container, where the kill switch stays active when it stops or fails to start:"
                    + " `auto`, `true` or `false`");

    static final Setting<Boolean> LEAK_TEST = withDefault(
            Group.OTHER,
            "CULVERT_LEAK_TEST",
            List.of(),
            Parser.of(BooleanWord::parse).redacted(),
            "on",
            "`off` turns off the leak test that runs 5 s after each connect and blocks all traffic if something leaks; `culvert"
                    + " leak-test` still works");

    static final Setting<Log.Level> LOG = withDefault(
            Group.OTHER,
            "CULVERT_LOG",
            List.of(),
            EnumWord.of(Log.Level.values()).redacted(),
            "info",
            "log level: `error`, `warn`, `info` or `debug`");

    private static final List<Setting<?>> ALL = List.of(
            WIREGUARD_CONFIG,
            SERVER_ORDER,
            SERVER_RETURN,
            PROBE,
            WIREGUARD_IMPLEMENTATION,
            WIREGUARD_MEMORY,
            DNS,
            MTU,
            MARK,
            MESH,
            MESH_CONFIG,
            MESH_NODE,
            WITHDRAW_AFTER,
            SOCKS,
            SOCKS_PORT,
            SOCKS_UDP_PORTS,
            SOCKS_CONFIG,
            HTTP_PROXY,
            HTTP_PROXY_PORT,
            SOCKS_ALLOW,
            SOCKS_USER,
            SOCKS_PASSWORD,
            SOCKS_TIMEIN,
            GATEWAY,
            GATEWAY_CLIENTS,
            BYPASS,
            PUBLISH,
            LAN_ALLOW,
            FORWARDED_PORT,
            FORWARDED_PORT_GATEWAY,
            FORWARDED_PORT_PATH,
            HTTP,
            HTTP_TOKEN,
            SETTINGS,
            CONTAINER,
            LEAK_TEST,
            LOG);

    private Catalogue() {}

    /** Returns all settings in the order in which they are shown. */
    public static List<Setting<?>> all() {
        return ALL;
    }

    private static <T> Setting<T> withDefault(
            Group group, String name, List<String> aliases, Parser<T> parser, String defaultText, String description) {
        return new Setting<>(
                group, name, aliases, parser, Optional.of(defaultText), "`" + defaultText + "`", false, description);
    }

    private static <T> Setting<T> optional(
            Group group,
            String name,
            List<String> aliases,
            Parser<T> parser,
            String defaultDescription,
            String description) {
        return new Setting<>(group, name, aliases, parser, Optional.empty(), defaultDescription, false, description);
    }

    private static <T> Setting<T> secret(
            Group group, String name, Parser<T> parser, String defaultDescription, String description) {
        return new Setting<>(group, name, List.of(), parser, Optional.empty(), defaultDescription, true, description);
    }
}
