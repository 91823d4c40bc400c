package io.culvert.settings;

import io.culvert.ip.Prefix;
import io.culvert.linux.Container;
import io.culvert.settings.Setting.Group;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Every setting there is. Parsing, {@code --help}, the table in the README and the hints for misspelt names all come from
 * here.
 */
public final class Catalogue {

    static final Setting<Path> WIREGUARD_CONFIG = optional(
            Group.TUNNEL,
            "CULVERT_WIREGUARD_CONFIG",
            List.of("TSWG_WGCONF", "WG_CONFIG"),
            FilePath::parse,
            "every `*.conf` in `/etc/wireguard`",
            "a wg-quick file, or a directory of them: the first by name is used, the next when its server is dead");

    static final Setting<WireGuardSettings.Implementation> WIREGUARD_IMPLEMENTATION = withDefault(
            Group.TUNNEL,
            "CULVERT_WIREGUARD_IMPLEMENTATION",
            List.of(),
            Words.of(WireGuardSettings.Implementation.values()).screened(),
            "auto",
            "`auto`, `kernel` or `userspace`");

    static final Setting<MemoryLimit> WIREGUARD_MEMORY = withDefault(
            Group.TUNNEL,
            "CULVERT_WIREGUARD_MEMORY",
            List.of(),
            Parser.of(MemoryLimit::parse).screened(),
            "96MiB",
            "what the userspace WireGuard aims to stay under (its `GOMEMLIMIT`), or `off`");

    static final Setting<List<InetAddress>> DNS = optional(
            Group.TUNNEL,
            "CULVERT_DNS",
            List.of(),
            new ItemList<>(DnsServer::parse),
            "the file's `DNS=`, else a public resolver",
            "addresses of the servers that are asked, always through the tunnel");

    static final Setting<Integer> MTU = optional(
            Group.TUNNEL,
            "CULVERT_MTU",
            List.of(),
            new WholeNumber("MTU", 576, 65535).screened(),
            "the file's `MTU=`, else the uplink's, less 80 (60 to an IPv4 server), 1420 at most",
            "bytes in a packet inside the tunnel");

    static final Setting<Long> MARK = withDefault(
            Group.TUNNEL,
            "CULVERT_MARK",
            List.of(),
            Parser.of(Mark::parse).screened(),
            "0x51000000",
            "the mark on the tunnel's own packets; bits 8 to 23 stay clear");

    static final Setting<MeshSettings.Kind> MESH = withDefault(
            Group.MESH,
            "CULVERT_MESH",
            List.of(),
            Words.of(MeshSettings.Kind.values()).screened(),
            "tailscale",
            "who exits here: `tailscale` (Tailscale or Headscale), `wireguard` (peers of a second interface), or `none`");

    static final Setting<Path> MESH_CONFIG = optional(
            Group.MESH,
            "CULVERT_MESH_CONFIG",
            List.of(),
            FilePath::parse,
            "",
            "for `CULVERT_MESH=wireguard`: the wg-quick file of the mesh interface, or a network file with `CULVERT_MESH_NODE`");

    static final Setting<String> MESH_NODE = optional(
            Group.MESH,
            "CULVERT_MESH_NODE",
            List.of(),
            Parser.of(PeerName::parse).screened(),
            "",
            "which peer of the network file in `CULVERT_MESH_CONFIG` this is");

    static final Setting<Boolean> SOCKS = withDefault(
            Group.SOCKS,
            "CULVERT_SOCKS",
            List.of("TSWG_SOCKD_ENABLED"),
            Parser.of(Truth::parse).screened(),
            "false",
            "a SOCKS5 proxy that goes out through the tunnel");

    static final Setting<Integer> SOCKS_PORT = withDefault(
            Group.SOCKS,
            "CULVERT_SOCKS_PORT",
            List.of("TSWG_SOCKD_PORT"),
            WholeNumber.PORT.screened(),
            "1080",
            "its port");

    static final Setting<PortRange> SOCKS_UDP_PORTS = withDefault(
            Group.SOCKS,
            "CULVERT_SOCKS_UDP_PORTS",
            List.of(),
            Parser.of(PortRange::parse).screened(),
            "1081-1096",
            "its ports for UDP from outside, one for each client's association; publish them too, or `none`");

    static final Setting<Path> SOCKS_CONFIG = optional(
            Group.SOCKS,
            "CULVERT_SOCKS_CONFIG",
            List.of("TSWG_SOCKD_FILE"),
            FilePath::parse,
            "",
            "your own `sockd.conf`, which then rules port, clients and login");

    static final Setting<List<Prefix>> SOCKS_ALLOW = withDefault(
            Group.SOCKS,
            "CULVERT_SOCKS_ALLOW",
            List.of(),
            new ItemList<>(Subnet::parse),
            "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 127.0.0.0/8, fc00::/7, ::1/128",
            "the networks whose clients may use it");

    static final Setting<String> SOCKS_USER = optional(
            Group.SOCKS,
            "CULVERT_SOCKS_USER",
            List.of(),
            Parser.of(AccountName::parse).screened(),
            "no login",
            "its user");

    static final Setting<Password> SOCKS_PASSWORD =
            secret(Group.SOCKS, "CULVERT_SOCKS_PASSWORD", Password::parse, "no login", "the user's password");

    static final Setting<String> SOCKS_TIMEIN = optional(
            Group.SOCKS,
            "TSWG_SOCKD_TIMEIN",
            List.of(),
            Parser.<String>of(text -> text).screened(),
            "",
            "accepted and ignored: the proxy starts as soon as it can, without a pause");

    static final Setting<List<Holepunch>> HOLEPUNCH = optional(
            Group.PAST,
            "CULVERT_HOLEPUNCH",
            List.of("TSWG_HOLEPUNCH_ENDPOINTS", "HOLEPUNCH_ENDPOINTS"),
            new ItemList<>(Holepunch::parse),
            "",
            "what this container reaches past the tunnel: `host:port`, `ip:port`, `[ipv6]:port`, an address or a network,"
                    + " each with an optional `/tcp` or `/udp`");

    static final Setting<List<Published>> PUBLISH = optional(
            Group.PAST,
            "CULVERT_PUBLISH",
            List.of(),
            new ItemList<>(Published::parse),
            "",
            "ports of services in this network namespace that answer on the uplink: `8080`, `53/udp`");

    static final Setting<LanAllow> LAN_ALLOW = withDefault(
            Group.PAST,
            "CULVERT_LAN_ALLOW",
            List.of(),
            LanAllow::parse,
            "auto",
            "networks that are reached, and may reach in, past the tunnel: `auto` (private ranges that are connected),"
                    + " `none`, or networks");

    static final Setting<Container.Choice> CONTAINER = withDefault(
            Group.REST,
            Container.VARIABLE,
            List.of(),
            Parser.of(ContainerChoice::parse).screened(),
            "auto",
            "whether the kill switch stays active when the program stops or refuses to start, as it does in a container:"
                    + " `auto`, `true` or `false`");

    static final Setting<LogLevel> LOG = withDefault(
            Group.REST,
            "CULVERT_LOG",
            List.of(),
            Words.of(LogLevel.values()).screened(),
            "info",
            "`error`, `warn`, `info` or `debug`");

    private static final List<Setting<?>> ALL = List.of(
            WIREGUARD_CONFIG,
            WIREGUARD_IMPLEMENTATION,
            WIREGUARD_MEMORY,
            DNS,
            MTU,
            MARK,
            MESH,
            MESH_CONFIG,
            MESH_NODE,
            SOCKS,
            SOCKS_PORT,
            SOCKS_UDP_PORTS,
            SOCKS_CONFIG,
            SOCKS_ALLOW,
            SOCKS_USER,
            SOCKS_PASSWORD,
            SOCKS_TIMEIN,
            HOLEPUNCH,
            PUBLISH,
            LAN_ALLOW,
            CONTAINER,
            LOG);

    private Catalogue() {}

    /** All, in the order in which they are shown. */
    public static List<Setting<?>> all() {
        return ALL;
    }

    private static <T> Setting<T> withDefault(
            Group group, String name, List<String> aliases, Parser<T> parser, String defaultText, String meaning) {
        return new Setting<>(
                group, name, aliases, parser, Optional.of(defaultText), "`" + defaultText + "`", false, meaning);
    }

    private static <T> Setting<T> optional(
            Group group, String name, List<String> aliases, Parser<T> parser, String defaultMeaning, String meaning) {
        return new Setting<>(group, name, aliases, parser, Optional.empty(), defaultMeaning, false, meaning);
    }

    private static <T> Setting<T> secret(
            Group group, String name, Parser<T> parser, String defaultMeaning, String meaning) {
        return new Setting<>(group, name, List.of(), parser, Optional.empty(), defaultMeaning, true, meaning);
    }
}
