// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import io.culvert.firewall.KillSwitchInput.Mesh;
import io.culvert.firewall.KillSwitchInput.Scope;
import io.culvert.firewall.KillSwitchInput.Tunnel;
import io.culvert.net.Bypass;
import io.culvert.net.Endpoint;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Marks;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.nft.Table;
import io.culvert.plan.Tailnet;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** The main cases of the kill switch's ruleset, by the name of the file with the expected ruleset. */
public final class KillSwitchExamples {

    static final OptionalInt PORT = OptionalInt.of(61234);

    private KillSwitchExamples() {}

    public static Map<String, List<Table>> all() {
        Map<String, List<Table>> examples = new LinkedHashMap<>();
        examples.put("tailscale", KillSwitchRuleset.of(tailscale()));
        examples.put("wireguard-mesh-ipv4-only", KillSwitchRuleset.of(wireGuardMeshIpv4Only()));
        examples.put("no-mesh-with-bypasses", KillSwitchRuleset.of(noMeshWithBypasses()));
        examples.put("tunnel-only", KillSwitchRuleset.of(tunnelOnly()));
        examples.put("lockdown", KillSwitchRuleset.lockdown());
        examples.put("blocked-after-leak", KillSwitchRuleset.blockAfterLeak());
        return examples;
    }

    static KillSwitchInput tailscale() {
        return KillSwitchInput.of(
                Marks.DEFAULT,
                Scope.NODE,
                new Tunnel("wg0", addresses("10.64.0.2", "fd00:64::2"), EnumSet.allOf(Family.class), List.of(), PORT),
                it -> {
                    it.meshes = List.of(Mesh.of(Mesh.Kind.TAILSCALE, "tailscale0", mesh -> {
                        mesh.addresses = addresses("100.64.0.1", "fd7a:115c:a1e0::1");
                        mesh.port = OptionalInt.of(41641);
                        mesh.reach = Tailnet.RANGES;
                        mesh.masquerades = true;
                        mesh.serverPorts = List.of(80, 443);
                    }));
                    it.servers = servers("203.0.113.10:51820", "203.0.113.11:1637", "[2001:db8:f::10]:51820");
                    it.resolvers = addresses("192.0.2.53", "2001:db8::53");
                    it.lan = List.of(
                            Prefix.parse("192.0.2.0/24"),
                            Prefix.parse("192.0.2.128/25"),
                            Prefix.parse("2001:db8:e::/64"));
                    it.published = List.of(new Port(1080, Transport.TCP), new Port(1080, Transport.UDP));
                    it.onLink = List.of(Prefix.parse("192.0.2.0/24"), Prefix.parse("2001:db8:e::/64"));
                    it.bypasses = List.of(bypass("203.0.113.7", Transport.TCP, 443));
                    it.hasProxy = true;
                    it.dnsPort = OptionalInt.of(53);
                });
    }

    static KillSwitchInput wireGuardMeshIpv4Only() {
        return KillSwitchInput.of(
                Marks.DEFAULT,
                Scope.NODE,
                new Tunnel("wg0", addresses("10.64.0.2"), Set.of(Family.IPV4), List.of(), PORT),
                it -> {
                    it.meshes = List.of(Mesh.of(Mesh.Kind.WIREGUARD, "mesh0", mesh -> {
                        mesh.addresses = addresses("10.99.0.1", "fd99::1");
                        mesh.port = OptionalInt.of(51821);
                        mesh.reach = List.of(Prefix.parse("10.99.0.0/24"), Prefix.parse("fd99::/64"));
                    }));
                    it.servers = servers("203.0.113.10:51820");
                    it.resolvers = addresses("192.0.2.53");
                    it.dnsPort = OptionalInt.of(5353);
                });
    }

    static KillSwitchInput noMeshWithBypasses() {
        return KillSwitchInput.of(
                Marks.DEFAULT,
                Scope.NODE,
                new Tunnel("wg0", addresses("10.64.0.2", "fd00:64::2"), EnumSet.allOf(Family.class), List.of(), PORT),
                it -> {
                    it.servers = servers("203.0.113.10:51820");
                    it.bypasses = List.of(
                            new Bypass(Prefix.parse("203.0.113.0/24"), Optional.empty(), OptionalInt.empty()),
                            new Bypass(Prefix.parse("203.0.113.9/32"), Optional.empty(), OptionalInt.empty()),
                            new Bypass(
                                    Prefix.parse("198.51.100.0/25"), Optional.of(Transport.UDP), OptionalInt.empty()),
                            new Bypass(Prefix.parse("192.0.2.53"), Optional.empty(), OptionalInt.of(53)),
                            bypass("2001:db8:7::7", Transport.TCP, 443));
                    it.dnsPort = OptionalInt.of(53);
                });
    }

    static KillSwitchInput tunnelOnly() {
        return tunnelOnly(List.of(68, 53));
    }

    /** @param udpPorts UDP ports in use before the kill switch */
    static KillSwitchInput tunnelOnly(List<Integer> udpPorts) {
        return KillSwitchInput.of(
                Marks.DEFAULT,
                Scope.TUNNEL_ONLY,
                new Tunnel("wg0", addresses("10.64.0.2"), Set.of(Family.IPV4), List.of(), PORT),
                it -> {
                    it.servers = servers("203.0.113.10:51820");
                    it.onLink = List.of(Prefix.parse("192.0.2.0/24"), Prefix.parse("2001:db8:e::/64"));
                    it.earlierUdpPorts = udpPorts;
                });
    }

    static Bypass bypass(String address, Transport transport, int port) {
        return new Bypass(Prefix.parse(address), Optional.of(transport), OptionalInt.of(port));
    }

    static List<InetSocketAddress> servers(String... endpoints) {
        return Arrays.stream(endpoints)
                .map(Endpoint::parse)
                .map(endpoint -> new InetSocketAddress(((Host.Literal) endpoint.host()).address(), endpoint.port()))
                .toList();
    }

    static List<InetAddress> addresses(String... literals) {
        return Arrays.stream(literals).map(Prefix::parseAddress).toList();
    }
}
