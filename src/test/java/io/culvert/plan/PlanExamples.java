// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.net.Endpoint;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.networkfile.MeshLink;
import io.culvert.routing.TunnelIdentity;
import io.culvert.rtnl.Ipv6;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.Machines;
import io.culvert.rtnl.Uplink;
import io.culvert.settings.LoadedSettings;
import io.culvert.settings.Settings;
import io.culvert.settings.SettingsReader;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.config.WireGuardFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/** The main kinds of exit nodes, by the name of the file with the expected plan. */
public final class PlanExamples {

    public static final Uplink IPV4 = new Uplink(
            "eth0", Optional.of(Prefix.parseAddress("192.168.7.1")), List.of(Prefix.parse("192.168.7.2/24")), 1500);

    public static final Uplink IPV6 = new Uplink(
            "eth0", Optional.of(Prefix.parseAddress("fe80::1")), List.of(Prefix.parse("2001:db8:7::2/64")), 1500);

    public static final Machine DUAL_STACK = machine(Map.of(Family.IPV4, IPV4, Family.IPV6, IPV6), true, false);

    private static final String DUAL_STACK_FILE =
            file("10.64.0.2/32, fd00:64::2/128", "0.0.0.0/0, ::/0", """
            DNS = 10.64.0.1
            """, "192.0.2.10:51820");

    private static final String CLIENTS = """
            [Interface]
            PrivateKey = 6D/THBwDlbO4mE6bYRVLIEnyTTsJfZU3MpNYyxxcUVU=
            Address = 10.99.0.1/24, fd99::1/64
            ListenPort = 51821
            [Peer]
            PublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=
            AllowedIPs = 10.99.0.2/32, fd99::2/128
            """;

    private PlanExamples() {}

    public static Map<String, ExitNodeInputs> all() {
        Map<String, ExitNodeInputs> all = new LinkedHashMap<>();
        all.put("dual-stack-with-everything", dualStack());
        all.put("several-subnets-of-a-network-file", severalSubnets());
        all.put("ipv4-only-file", inputs(file("10.64.0.2/32", "0.0.0.0/0", "", "192.0.2.10:51820"), DUAL_STACK));
        all.put(
                "no-ipv6",
                inputs(DUAL_STACK_FILE, machine(Map.of(Family.IPV4, IPV4), false, false), "CULVERT_LAN_ALLOW", "none"));
        all.put(
                "strict-reverse-path",
                inputs(
                        DUAL_STACK_FILE,
                        machine(Map.of(Family.IPV4, IPV4), true, true),
                        "CULVERT_PUBLISH",
                        "8080, 53/udp"));
        all.put("tailscale", tailscale());
        all.put(
                "gateway",
                inputs(
                        DUAL_STACK_FILE,
                        DUAL_STACK,
                        "CULVERT_LAN_ALLOW",
                        "none",
                        "CULVERT_GATEWAY",
                        "true",
                        "CULVERT_GATEWAY_CLIENTS",
                        "192.168.7.0/24, fd20::/48"));
        all.put(
                "names-of-other-containers",
                resolvers(
                        List.of("127.0.0.11", "192.168.7.1"),
                        List.of("dns.podman", "apps.svc.cluster.example.", "svc.cluster.example.", "home.example")));
        all.put("several-uplink-addresses", severalAddresses());
        all.put(
                "complement-allowed-ips",
                inputs(
                        file(
                                "10.64.0.2/32",
                                "0.0.0.0/1, 128.0.0.0/2, 192.0.0.0/9, 192.128.0.0/11, 192.160.0.0/13, 192.169.0.0/16,"
                                        + " 192.170.0.0/15, 192.172.0.0/14, 192.176.0.0/12, 192.192.0.0/10, 193.0.0.0/8,"
                                        + " 194.0.0.0/7, 196.0.0.0/6, 200.0.0.0/5, 208.0.0.0/4, 224.0.0.0/3",
                                "",
                                "192.0.2.10:51820"),
                        DUAL_STACK));
        all.put(
                "dns-server-in-a-range-of-the-lan",
                inputs(file("10.64.0.2/32", "0.0.0.0/0", "DNS = 192.168.7.53\n", "192.0.2.10:51820"), DUAL_STACK));
        all.put("names-not-resolved", names());
        all.put(
                "names-resolved",
                names().with(it -> it.names = new ResolvedNames(Map.of(
                        new Host.Name("vpn.example.net"), addresses("2001:db8::10", "192.0.2.10"),
                        new Host.Name("hs.example.net"), addresses("203.0.113.9", "2001:db8::9")))));
        all.put(
                "userspace",
                inputs(
                        DUAL_STACK_FILE,
                        Machines.of(Map.of(Family.IPV4, IPV4), it -> {
                            it.forwarding = Set.of(Family.IPV4);
                            it.kernelWireGuard = false;
                        }),
                        "CULVERT_WIREGUARD_MEMORY",
                        "64MiB"));
        return all;
    }

    public static ExitNodeInputs inputsOf(String name) {
        return Objects.requireNonNull(all().get(name));
    }

    public static ExitNodeInputs dualStack() {
        ExitNodeInputs base = inputs(
                DUAL_STACK_FILE,
                DUAL_STACK,
                "CULVERT_PUBLISH",
                "8080, 53/udp",
                "CULVERT_BYPASS",
                "203.0.113.7:443/tcp, 203.0.113.7:443/tcp, 198.51.100.0/25, [2001:db8:7::7]:443");
        return base.with(it -> {
            it.meshes = List.of(WireGuardMeshInterface.of(config(CLIENTS)));
            it.socksPort = OptionalInt.of(1080);
        });
    }

    /** Returns a node with a phone in one subnet, and in another one a NAS with three endpoint candidates. */
    public static ExitNodeInputs severalSubnets() {
        ExitNodeInputs base = inputs(DUAL_STACK_FILE, DUAL_STACK);
        WireGuardConfig nas = config("""
                [Interface]
                PrivateKey = 6D/THBwDlbO4mE6bYRVLIEnyTTsJfZU3MpNYyxxcUVU=
                Address = 10.98.0.1/24
                ListenPort = 51822
                [Peer]
                PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                AllowedIPs = 10.98.0.2/32
                Endpoint = nas.example.net:51820
                """);
        MeshLink link = MeshLink.of("nas", nas.peers().getFirst().publicKey(), it -> {
            it.allowedIps = nas.peers().getFirst().allowedIps();
            it.candidates = Stream.of("192.168.7.5:51820", "nas.example.net:51820", "home.example.net:54445")
                    .map(Endpoint::parse)
                    .toList();
        });
        return base.with(it -> it.meshes = List.of(
                new WireGuardMeshInterface("mesh0", config(CLIENTS), Optional.of("home"), List.of()),
                new WireGuardMeshInterface("mesh1", nas, Optional.of("work"), List.of(link))));
    }

    private static ExitNodeInputs resolvers(List<String> servers, List<String> search) {
        ExitNodeInputs base = inputs(DUAL_STACK_FILE, DUAL_STACK);
        return base.with(it -> it.resolvers =
                new RuntimeResolvers(servers.stream().map(Prefix::parseAddress).toList(), search));
    }

    private static ExitNodeInputs severalAddresses() {
        Uplink several = new Uplink(
                "enp3s0",
                IPV4.gateway(),
                List.of(Prefix.parse("192.168.7.2/24"), Prefix.parse("192.168.8.2/24")),
                9000);
        return inputs(DUAL_STACK_FILE, machine(Map.of(Family.IPV4, several), true, true), "CULVERT_PUBLISH", "8080");
    }

    private static ExitNodeInputs names() {
        return inputs(
                file("10.64.0.2/32", "0.0.0.0/0", "", "vpn.example.net:51820"),
                machine(Map.of(Family.IPV4, IPV4), false, false),
                "CULVERT_BYPASS",
                "hs.example.net:443/tcp");
    }

    private static ExitNodeInputs tailscale() {
        ExitNodeInputs base = inputs(
                DUAL_STACK_FILE,
                machine(Map.of(Family.IPV4, IPV4), true, true),
                "CULVERT_MESH",
                "tailscale",
                "TS_STATE_DIR",
                "/var/lib/tailscale",
                "TS_ROUTES",
                "192.168.7.0/24",
                "TS_EXTRA_ARGS",
                "--login-server=https://hs.example.net --advertise-exit-node");
        return base.with(it -> it.tailnet = new Tailnet(
                addresses("100.64.0.1", "fd7a:115c:a1e0::1"), List.of(), Optional.of("tailnet.example"), Set.of(8443)));
    }

    /** @param settings names and values, alternating */
    public static ExitNodeInputs inputs(String file, Machine machine, String... settings) {
        return inputs(settings(settings), file, machine, OptionalInt.empty());
    }

    /** Returns a node with these settings and the container's usual resolver. */
    static ExitNodeInputs inputs(Settings settings, String file, Machine machine, OptionalInt socksPort) {
        return ExitNodeInputs.of(
                        settings,
                        TunnelIdentity.withMark(settings.mark()),
                        config(file),
                        new RuntimeResolvers(addresses("192.168.7.1"), List.of()),
                        machine)
                .with(fields -> fields.socksPort = socksPort);
    }

    public static Settings settings(String... values) {
        LoadedSettings loaded = load(values);
        return loaded.settings()
                .orElseThrow(
                        () -> new IllegalArgumentException(loaded.problems().toString()));
    }

    /** Returns the settings; empty if they are refused. */
    static Optional<Settings> accepted(String... values) {
        return load(values).settings();
    }

    private static LoadedSettings load(String... values) {
        Map<String, String> environment = new HashMap<>(Map.of("CULVERT_MESH", "none"));
        for (int i = 0; i < values.length; i += 2) {
            environment.put(values[i], values[i + 1]);
        }
        try {
            Path root = Files.createTempDirectory("plan");
            Path file = root.resolve("wg0.conf");
            Files.writeString(file, DUAL_STACK_FILE);
            Path mesh = Files.writeString(root.resolve("mesh.conf"), CLIENTS);
            Path more = Files.writeString(root.resolve("settings.env"), "# a comment\nCULVERT_LOG=debug\n");
            environment.put("CULVERT_WIREGUARD_CONFIG", "/wg0.conf");
            LoadedSettings loaded = new SettingsReader(environment, root).read();
            Files.delete(file);
            Files.delete(mesh);
            Files.delete(more);
            Files.delete(root);
            return loaded;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static Machine machine(Map<Family, Uplink> uplinks, boolean ipv6, boolean strictReversePath) {
        return Machines.of(uplinks, it -> {
            it.connected = List.of(Prefix.parse("192.168.7.0/24"), Prefix.parse("203.0.113.0/24"));
            it.ipv6 = ipv6 ? Ipv6.ENABLED : Ipv6.ABSENT;
            it.strictReversePath = strictReversePath;
        });
    }

    public static String file(String addresses, String allowedIps, String more, String endpoint) {
        return """
                [Interface]
                PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
                Address = %s
                %s
                [Peer]
                PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                PresharedKey = FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=
                AllowedIPs = %s
                Endpoint = %s
                """.formatted(addresses, more, allowedIps, endpoint);
    }

    public static WireGuardConfig config(String text) {
        WireGuardFile.Parsed parsed = WireGuardFile.parse(Path.of("wg0.conf"), text);
        return parsed.config()
                .orElseThrow(
                        () -> new IllegalArgumentException(parsed.problems().toString()));
    }

    public static List<InetAddress> addresses(String... literals) {
        return Arrays.stream(literals).map(Prefix::parseAddress).toList();
    }
}
