// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.render;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.culvert.lab.CommandResult;
import io.culvert.networkfile.NetworkFile;
import io.culvert.wireguard.config.KeyGenerator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Files for systemd-networkd. */
class NetworkdTest {

    /** The program contains each key of its files as a string such as {@code Network.Address}. */
    private static final Path PROGRAM = Path.of("/usr/lib/systemd/systemd-networkd");

    private static final String ADDRESSES = "[10.8.0.1, auto]";

    @Test
    void an_exit_node_masquerades_and_forwards_both_families() {
        assertThat(network("exit: true", ADDRESSES))
                .startsWith("# Forwards all packets from peers")
                .contains("IPForward=yes\nIPv4Forwarding=yes\nIPv6Forwarding=yes\nIPMasquerade=both\n");
    }

    @Test
    void a_family_without_exit_node_clients_is_not_forwarded() {
        assertThat(network("exit: true", "[10.8.0.1]", "[10.8.0.2]"))
                .contains("IPForward=ipv4\nIPv4Forwarding=yes\nIPMasquerade=ipv4\n")
                .doesNotContain("IPv6");
    }

    @Test
    void site_routes_are_forwarded_without_masquerading() {
        assertThat(network("routes: [192.168.7.0/24]", ADDRESSES))
                .contains("IPForward=ipv4\nIPv4Forwarding=yes\n")
                .doesNotContain("IPMasquerade", "IPv6Forwarding");
        assertThat(network("exit: true, routes: [192.168.7.0/24]", ADDRESSES))
                .contains("# Not only to the internet", "IPMasquerade=both");
    }

    @Test
    void a_node_without_exit_and_routes_forwards_nothing() {
        assertThat(network("dns: [10.8.0.2]", ADDRESSES)).doesNotContain("Forward", "Masquerade");
    }

    @Test
    void systemd_supports_all_keys() throws IOException {
        assumeThat(PROGRAM).as("there is no systemd-networkd here").isReadable();
        String program = Files.readString(PROGRAM, StandardCharsets.ISO_8859_1);
        int version = Integer.parseInt(CommandResult.of(List.of(PROGRAM.toString(), "--version"))
                .outputOrFail()
                .replaceFirst("(?s)^systemd (\\d+).*", "$1"));
        Set<String> later = version < 256 ? Set.of("Network.IPv4Forwarding", "Network.IPv6Forwarding") : Set.of();

        List<String> keys = new ArrayList<>();
        keys.addAll(keys(files("hub", "exit: true", ADDRESSES, ADDRESSES.replace(".1", ".2"))));
        keys.addAll(keys(files("phone", "exit: true", ADDRESSES, ADDRESSES.replace(".1", ".2"))));

        assertThat(keys)
                .contains("WireGuardPeer.Endpoint", "Network.IPMasquerade", "RoutingPolicyRule.SuppressPrefixLength")
                .allSatisfy(key -> assertThat(later.contains(key) || program.contains("\0" + key + "\0"))
                        .as(key)
                        .isTrue());
    }

    private static String network(String more, String... addresses) {
        return files("hub", more, addresses[0], addresses.length > 1 ? addresses[1] : "[10.8.0.2, auto]")
                .getLast()
                .text();
    }

    private static List<RenderedFile> files(String node, String more, String hub, String phone) {
        return NetworkFile.parse(Path.of("/etc/culvert/network.yaml"), """
                version: v1
                subnets: [{name: home, presharedKeyFile: psk}]
                peers:
                  - {name: hub, publicKey: %s, privateKeyFile: hub.key, %s, endpoints: [{ip: 203.0.113.1}],
                     subnets: {home: {listenPort: 51820, ipAddresses: %s}}}
                  - {name: phone, publicKey: %s, privateKeyFile: phone.key, %s dns: [10.8.0.1],
                     subnets: {home: {ipAddresses: %s}}}
                connections: [{a: [], b: []}]
                """.formatted(
                                KeyGenerator.publicOf(KeyGenerator.generatePrivate()),
                                more,
                                hub,
                                KeyGenerator.publicOf(KeyGenerator.generatePrivate()),
                                more.contains("exit") ? "via: hub," : "",
                                phone))
                .topology()
                .flatMap(topology -> topology.node(node))
                .map(Networkd::files)
                .orElseThrow();
    }

    /** Returns {@code Section.Key} of all lines. */
    private static Set<String> keys(List<RenderedFile> files) {
        List<String> keys = new ArrayList<>();
        for (RenderedFile file : files) {
            String section = "";
            for (String line : file.text().lines().toList()) {
                if (line.startsWith("[")) {
                    section = line.substring(1, line.length() - 1);
                } else if (!line.isEmpty() && !line.startsWith("#")) {
                    keys.add(section + "." + line.substring(0, line.indexOf('=')));
                }
            }
        }
        return keys.stream().collect(Collectors.toSet());
    }
}
