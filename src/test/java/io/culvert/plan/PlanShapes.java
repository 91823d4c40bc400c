// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.diagnostics.ProblemException;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.rtnl.Ipv6;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.Machines;
import io.culvert.rtnl.Uplink;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;

/** Exit nodes of many shapes: each setting and property of the machine that changes a plan has a value by chance. */
public final class PlanShapes {

    /**
     * An exit node.
     *
     * @param name what it is made of; the same for the same seed
     */
    public record Shape(String name, ExitNodeInputs inputs) {

        @Override
        public String toString() {
            return name;
        }
    }

    private static final long SEED = 20_261_130;

    private static final List<String> ADDRESSES =
            List.of("10.64.0.2/32", "10.64.0.2/32, fd00:64::2/128", "fd00:64::2/128");
    private static final List<String> ALLOWED = List.of("0.0.0.0/0, ::/0", "0.0.0.0/1, 128.0.0.0/1, ::/1, 8000::/1");
    private static final List<String> LOCAL_NETWORKS =
            List.of("auto", "none", "192.168.7.0/24", "192.168.7.128/25, 10.20.0.0/16", "fd20::/48", "10.64.0.0/16");
    private static final List<String> BYPASSES = List.of(
            "",
            "203.0.113.7:443/tcp",
            "198.51.100.0/25",
            "203.0.113.7:443, [2001:db8:7::7]:443/udp, 198.51.100.9:8080/tcp",
            "hs.example.net:443/tcp",
            "203.0.113.53:53",
            "2001:db8:9::/48");
    private static final List<String> PUBLISHED =
            List.of("", "8080", "53/udp", "8080, 53/udp, 9000", "443/tcp, 443/udp");
    private static final List<String> MESHES =
            List.of("none", "wireguard", "wireguard6", "tailscale", "tailscale-routes");
    private static final List<String> GATEWAY_CLIENTS = List.of(
            "192.168.7.0/24",
            "192.168.7.128/25, 10.30.0.0/16, fd20::/48",
            "10.0.0.0/8",
            "203.0.113.0/25, 2001:db8:8::/64",
            "192.168.7.50");
    private static final List<String> UPLINKS = List.of("both", "ipv4", "ipv6", "two-links", "public");
    private static final List<String> SERVERS =
            List.of("192.0.2.10:51820", "[2001:db8::10]:51820", "vpn.example.net:51820", "192.168.7.9:51820");
    private static final List<String> RESOLVERS =
            List.of("192.168.7.1", "127.0.0.11", "203.0.113.53", "fe80::1", "192.168.7.1 2001:db8:7::53");

    private PlanShapes() {}

    /** Returns this many shapes that are accepted; the first ones are always the same. */
    public static List<Shape> first(int count) {
        Random random = new Random(SEED);
        List<Shape> shapes = new ArrayList<>();
        while (shapes.size() < count) {
            shape(random, shapes.size()).ifPresent(shapes::add);
        }
        return shapes;
    }

    private static <T> T any(Random random, List<T> values) {
        return values.get(random.nextInt(values.size()));
    }

    private static Optional<Shape> shape(Random random, int number) {
        String addresses = any(random, ADDRESSES);
        String allowed = any(random, ALLOWED);
        String server = any(random, SERVERS);
        String local = any(random, LOCAL_NETWORKS);
        String bypass = any(random, BYPASSES);
        String published = any(random, PUBLISHED);
        String mesh = any(random, MESHES);
        String uplinks = any(random, UPLINKS);
        String resolvers = any(random, RESOLVERS);
        boolean hasProxy = random.nextBoolean();
        boolean isStrict = random.nextInt(3) == 0;
        Ipv6 ipv6 = any(random, List.of(Ipv6.ENABLED, Ipv6.ENABLED, Ipv6.ABSENT));
        // Of its own, so that it changes nothing else of the shapes.
        Random gateways = new Random(SEED + number);
        boolean hasResolver = random.nextInt(4) > 0;
        List<String> settings = new ArrayList<>(List.of(
                "CULVERT_LAN_ALLOW", local, "CULVERT_MESH", mesh.startsWith("tailscale") ? "tailscale" : "none"));
        if (!bypass.isEmpty()) {
            settings.addAll(List.of("CULVERT_BYPASS", bypass));
        }
        if (!published.isEmpty()) {
            settings.addAll(List.of("CULVERT_PUBLISH", published));
        }
        if (number % 3 == 1) {
            settings.addAll(
                    List.of("CULVERT_GATEWAY", "true", "CULVERT_GATEWAY_CLIENTS", any(gateways, GATEWAY_CLIENTS)));
        }
        if (hasProxy && number % 2 == 0) {
            settings.addAll(List.of("CULVERT_HTTP_PROXY", "true"));
        }
        if (mesh.startsWith("tailscale")) {
            settings.addAll(List.of(
                    "TS_STATE_DIR",
                    "/var/lib/tailscale",
                    "TS_EXTRA_ARGS",
                    "--login-server=https://hs.example.net --advertise-exit-node"));
        }
        if (mesh.equals("tailscale-routes")) {
            settings.addAll(List.of("TS_ROUTES", "192.168.7.0/24"));
        }
        String name = String.join(
                "; ",
                number + ": " + addresses,
                allowed.length() > 20 ? "halves" : "default",
                server,
                "LAN " + local,
                "bypass " + bypass,
                "publish " + published,
                mesh,
                uplinks,
                "DNS " + resolvers + (hasResolver ? " and the file's" : ""),
                (hasProxy ? "proxy" : "no proxy")
                        + (isStrict ? ", strict" : "")
                        + (ipv6.equals(Ipv6.ABSENT) ? ", no IPv6" : ""));
        ExitNodeInputs inputs = PlanExamples.inputs(
                        PlanExamples.file(
                                addresses,
                                allowed,
                                hasResolver && addresses.startsWith("10.") ? "DNS = 10.64.0.1" : "",
                                server),
                        machine(uplinks, ipv6, isStrict),
                        settings.toArray(String[]::new))
                .with(it -> {
                    it.resolvers = new RuntimeResolvers(addresses(resolvers), List.of("dns.podman"));
                    it.names = new ResolvedNames(Map.of(
                            new Host.Name("vpn.example.net"), addresses("192.0.2.10 2001:db8::10"),
                            new Host.Name("hs.example.net"), addresses("203.0.113.9 2001:db8::9")));
                    if (number % 3 == 0) {
                        it.forwardedPort = OptionalInt.of(51413);
                    }
                    if (hasProxy && number % 4 != 2) {
                        it.socksPort = OptionalInt.of(1080);
                    }
                    if (mesh.startsWith("wireguard")) {
                        it.meshes = List.of(WireGuardMeshInterface.of(PlanExamples.config(clients(mesh))));
                    }
                    if (mesh.startsWith("tailscale")) {
                        it.tailnet = new Tailnet(
                                addresses("100.64.0.1 fd7a:115c:a1e0::1"),
                                List.of(Prefix.parse("10.30.0.0/16")),
                                Optional.of("tailnet.example"),
                                Set.of(8443));
                    }
                });
        try {
            ExitNodePlanner.plan(inputs);
        } catch (ProblemException _) {
            // Refused, as it should be.
            return Optional.empty();
        }
        return Optional.of(new Shape(name, inputs));
    }

    private static List<InetAddress> addresses(String text) {
        return PlanExamples.addresses(text.split(" "));
    }

    private static String clients(String mesh) {
        boolean isIpv6 = mesh.endsWith("6");
        return """
                [Interface]
                PrivateKey = 6D/THBwDlbO4mE6bYRVLIEnyTTsJfZU3MpNYyxxcUVU=
                Address = %s
                ListenPort = 51821
                [Peer]
                PublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=
                AllowedIPs = %s
                """.formatted(
                        isIpv6 ? "fd99::1/64" : "10.99.0.1/24, fd99::1/64",
                        isIpv6 ? "fd99::2/128" : "10.99.0.2/32, fd99::2/128");
    }

    private static Machine machine(String kind, Ipv6 ipv6, boolean isStrict) {
        Map<Family, Uplink> uplinks = new EnumMap<>(Family.class);
        if (!kind.equals("ipv6")) {
            uplinks.put(
                    Family.IPV4,
                    kind.equals("public")
                            ? new Uplink(
                                    "eth0",
                                    Optional.of(Prefix.parseAddress("203.0.113.1")),
                                    List.of(Prefix.parse("203.0.113.20/24")),
                                    1500)
                            : PlanExamples.IPV4);
        }
        if (!kind.equals("ipv4") && !ipv6.equals(Ipv6.ABSENT)) {
            uplinks.put(
                    Family.IPV6,
                    kind.equals("two-links")
                            ? new Uplink(
                                    "eth1",
                                    Optional.of(Prefix.parseAddress("fe80::2")),
                                    List.of(Prefix.parse("2001:db8:8::2/64")),
                                    1500)
                            : PlanExamples.IPV6);
        }
        return Machines.of(uplinks, it -> {
            it.connected = List.of(Prefix.parse("192.168.7.0/24"), Prefix.parse("203.0.113.0/24"));
            it.links = Set.of("lo", "eth0", "eth1");
            it.ipv6 = ipv6;
            it.strictReversePath = isStrict;
        });
    }
}
