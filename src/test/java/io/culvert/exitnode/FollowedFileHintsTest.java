// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.FollowedHint;
import io.culvert.diagnostics.Hints;
import java.util.Set;
import java.util.stream.Stream;

/** The hints about WireGuard files and other files. */
public class FollowedFileHintsTest extends FollowedInputHints {

    /** For HintCoverageTest. */
    public static Stream<FollowedHint> hints() {
        return of(rows());
    }

    private static Stream<Row> rows() {
        return Stream.of(inTheTunnelsFile(), named(), inOtherFiles()).flatMap(rows -> rows);
    }

    private static Stream<Row> inTheTunnelsFile() {
        return Stream.of(
                tunnelFile(
                        "check that this is a WireGuard file",
                        "[Peer]",
                        "unknown = line\n".repeat(101) + "[Peer]",
                        "[Peer]"),
                tunnelFile("add Endpoint = host:port", "Endpoint = 192.0.2.10:51820\n", "", "")
                        .repairedBy("AllowedIPs", "Endpoint = 192.0.2.10:51820\nAllowedIPs"),
                tunnelFile(
                        "add AllowedIPs = 0.0.0.0/0, ::/0",
                        "AllowedIPs = 0.0.0.0/0, ::/0\n",
                        "AllowedIPs =\n",
                        "AllowedIPs = 0.0.0.0/0, ::/0\n"),
                tunnelFile(
                        "use 0.0.0.0/0, ::/0 for all traffic",
                        "AllowedIPs = 0.0.0.0/0, ::/0\n",
                        "AllowedIPs =\n",
                        "AllowedIPs = 0.0.0.0/0, ::/0\n"),
                tunnelFile(
                        "add AllowedIPs = 0.0.0.0/0, ::/0 for all traffic",
                        "AllowedIPs = 0.0.0.0/0, ::/0\nEnd",
                        "End",
                        "AllowedIPs = 0.0.0.0/0, ::/0\nEnd"),
                tunnelFile("use 0.0.0.0/0 for all addresses", "0.0.0.0/0, ::/0", "10.0.0.0/8", "0.0.0.0/0"),
                tunnelFile("use '#' instead", "DNS", "; mine\nDNS", "# mine\nDNS"),
                tunnelFile("correct this line, or comment it out with '#'", "DNS", "mine\nDNS", "# mine\nDNS"),
                tunnelFile("did you mean [Peer]?", "[Peer]", "[Peers]", "[Peer]"),
                tunnelFile("use [Interface] or [Peer]", "[Peer]", "[Account]\nName = me\n[Peer]", "[Peer]"),
                tunnelFile(
                        "merge the two sections",
                        "DNS = 10.64.0.1\n",
                        "[Interface]\nDNS = 10.64.0.1\n",
                        "DNS = 10.64.0.1\n"),
                tunnelFile("add a line [Interface] above it", "[Interface]\n", "", "")
                        .repairedBy("PrivateKey", "[Interface]\nPrivateKey"),
                tunnelFile("add a line [Peer] above it", "[Peer]\n", "", "")
                        .repairedBy("PublicKey", "[Peer]\nPublicKey"),
                tunnelFile(
                        "move this line to [Interface]",
                        "DNS = 10.64.0.1\n\n[Peer]\n",
                        "[Peer]\nDNS = 10.64.0.1\n",
                        "DNS = 10.64.0.1\n\n[Peer]\n"),
                tunnelFile(
                        "start each peer with a line [Peer]",
                        "Endpoint",
                        "PublicKey = " + THIRD + "\nEndpoint",
                        "[Peer]\nAllowedIPs = 10.9.0.0/16\nPublicKey = " + THIRD + "\nEndpoint"),
                tunnelFile("delete one of the lines", "DNS", "MTU = 1400\nMTU = 1300\nDNS", "MTU = 1300\nDNS"),
                tunnelFile(
                        "check whether two lines were mixed up",
                        "DNS = 10.64.0.1",
                        "DNS = " + THIRD,
                        "DNS = 10.64.0.1"),
                tunnelFile("add a value, or delete this line", "DNS = 10.64.0.1\n", "DNS =\n", ""),
                tunnelFile(
                        "add a value, or delete this line",
                        "Endpoint = 192.0.2.10:51820\n",
                        "Endpoint =\n",
                        "Endpoint = 192.0.2.10:51820\n"),
                tunnelFile("correct this line, or comment it out with '#'", "DNS", "= 5\nDNS", "#= 5\nDNS"),
                tunnelFile("did you mean Address?", "Address", "Adress", "Address"),
                tunnelFile("delete it, or retype the line", "DNS", "\u0001DNS", "DNS"),
                tunnelFile("delete this line", "DNS", "IncludedApplications = a.b\nDNS", "DNS"),
                tunnelFile("get a plain WireGuard file from your provider", "DNS", "H1 = 77\nDNS", "DNS"),
                tunnelFile("if there is no handshake, get a plain WireGuard file", "DNS", "Jc = 4\nDNS", "DNS"),
                tunnelFile("use a port, or 0 for a random one", "DNS", "ListenPort = x\nDNS", "ListenPort = 0\nDNS"),
                tunnelFile(
                        "use a size in bytes, such as 1420, or delete this line",
                        "DNS",
                        "MTU = 5\nDNS",
                        "MTU = 1420\nDNS"),
                tunnelFile("add the private key of this interface", "PrivateKey = " + OWN + "\n", "", "")
                        .repairedBy("Address", "PrivateKey = " + OWN + "\nAddress"),
                tunnelFile(
                                "add the address assigned to this interface, such as 10.64.0.2/32",
                                "Address = 10.64.0.2/32\n",
                                "",
                                "")
                        .repairedBy("DNS", "Address = 10.64.0.2/32\nDNS"),
                tunnelFile(
                        "use the address assigned to this interface", "10.64.0.2/32", "127.0.0.1/32", "10.64.0.2/32"),
                tunnelFile("write address/length, such as 10.64.0.2/32", "10.64.0.2/32", "10.64.0/32", "10.64.0.2/32"),
                tunnelFile("write an address, such as 10.64.0.1", "10.64.0.1\n", "10.64.0\n", "10.64.0.1\n"),
                tunnelFile(
                        "write a domain, such as home.arpa",
                        "10.64.0.1\n",
                        "10.64.0.1, a_b?\n",
                        "10.64.0.1, home.arpa\n"),
                tunnelFile(
                        "use a decimal number, a hexadecimal one with 0x, or off",
                        "DNS",
                        "FwMark = x\nDNS",
                        "FwMark = off\nDNS"),
                tunnelFile("use a table number, main, auto or off", "DNS", "Table = x\nDNS", "Table = auto\nDNS"),
                tunnelFile(
                        "use true or false, or delete this line",
                        "DNS",
                        "SaveConfig = x\nDNS",
                        "SaveConfig = false\nDNS"),
                tunnelFile(
                                "add that network to CULVERT_LAN_ALLOW and delete this line",
                                "DNS",
                                "PostUp = ip route add 192.168.7.0/24 via 192.168.1.1\nDNS",
                                "DNS")
                        .repairedBySetting("CULVERT_LAN_ALLOW=auto,192.168.7.0/24"),
                tunnelFile(
                        "run this command outside Culvert and delete this line", "DNS", "PostUp = curl x\nDNS", "DNS"),
                tunnelFile("use the public key of the server", SERVER, PUBLIC_OF_OWN, SERVER),
                tunnelFile("add the public key of the server", "PublicKey = " + SERVER + "\n", "", "")
                        .repairedBy("AllowedIPs", "PublicKey = " + SERVER + "\nAllowedIPs"),
                tunnelFile(
                        "merge the two [Peer] sections",
                        "Endpoint",
                        "[Peer]\nPublicKey = " + SERVER + "\nEndpoint",
                        "Endpoint"),
                tunnelFile("delete the extra comma", "::/0", "::/0,", "::/0"),
                tunnelFile("delete it", "::/0", "::/0, -10.0.0.0/8", "::/0"),
                tunnelFile("separate prefixes by commas", "0.0.0.0/0, ::/0", "0.0.0.0/0 ::/0", "0.0.0.0/0, ::/0"),
                tunnelFile(
                        "use 10.7.0.0/16, or 10.7.0.5/32 for a single address",
                        "::/0",
                        "::/0, 10.7.0.5/16",
                        "::/0, 10.7.0.0/16"),
                tunnelFile(
                        "assign it to one peer; for fail-over, use one file per server",
                        "[Peer]",
                        "[Peer]\nPublicKey = " + THIRD + "\nAllowedIPs = 0.0.0.0/0\n[Peer]",
                        "[Peer]\nPublicKey = " + THIRD + "\nAllowedIPs = 10.9.0.0/16\n[Peer]"),
                tunnelFile(
                        "use a number of seconds, such as 25, or off",
                        "Endpoint",
                        "PersistentKeepalive = x\nEndpoint",
                        "PersistentKeepalive = 25\nEndpoint"),
                tunnelFile("copy the complete key again", SERVER, "YOUR_KEY", SERVER),
                tunnelFile(
                        "use [2001:db8::10]:51820", "192.0.2.10:51820", "2001:db8::10:51820", "[2001:db8::10]:51820"),
                tunnelFile(
                        "write host:port, such as 192.0.2.10:51820 or [2001:db8::10]:51820",
                        "192.0.2.10:51820",
                        "vpn.example:x",
                        "192.0.2.10:51820"),
                tunnelFile(
                        "use the address of the server",
                        "Endpoint = 192.0.2.10",
                        "Endpoint = 0.0.0.0",
                        "Endpoint = 192.0.2.10"),
                tunnelFile(
                                "add the section of your server",
                                "[Peer]\nPublicKey = " + SERVER
                                        + "\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 192.0.2.10:51820\n",
                                "",
                                "")
                        .repairedBy(
                                "DNS = 10.64.0.1\n",
                                "DNS = 10.64.0.1\n[Peer]\nPublicKey = " + SERVER
                                        + "\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 192.0.2.10:51820\n"),
                tunnelFile(
                                "add one with PrivateKey and Address",
                                "[Interface]\nPrivateKey = " + OWN + "\nAddress = 10.64.0.2/32\nDNS = 10.64.0.1\n",
                                "",
                                "")
                        .repairedBy("[Peer]", "[Interface]\nPrivateKey = " + OWN + "\nAddress = 10.64.0.2/32\n[Peer]"),
                file(
                        WIREGUARD,
                        TUNNEL,
                        FollowedInputHints::up,
                        "use the WireGuard configuration file of your provider",
                        new byte[0]),
                file(WIREGUARD, TUNNEL, FollowedInputHints::up, "check the name", new byte[(1 << 20) + 1]),
                file(
                        WIREGUARD,
                        TUNNEL,
                        FollowedInputHints::up,
                        "use the WireGuard configuration file of your provider, which is a text file",
                        new byte[] {0, 1, 2}));
    }

    private static Stream<Row> named() {
        return Stream.of(
                named(WIREGUARD, FollowedInputHints::namedTunnelFile, "name a file in this directory", "etc", TUNNEL),
                named(
                        Set.of("wireguard/config", "diagnostics"),
                        FollowedInputHints::namedTunnelFile,
                        Hints.here().missingFile(),
                        "etc/none.conf",
                        TUNNEL),
                named(
                                WIREGUARD,
                                FollowedInputHints::namedTunnelFile,
                                "rename the file, for example to wg0.conf",
                                "etc/!!!.conf",
                                "etc/wg0.conf")
                        .withFile(TUNNEL, "etc/wg0.conf"),
                named(
                                WIREGUARD,
                                FollowedInputHints::namedTunnelFile,
                                "rename the file, for example to far-too-long-fo.conf",
                                "etc/far-too-long-for-linux.conf",
                                "etc/far-too-long-fo.conf")
                        .withFile(TUNNEL, "etc/far-too-long-fo.conf"),
                named(
                        TOPOLOGY,
                        FollowedInputHints::namedNetworkFile,
                        "use the path of the network file",
                        "etc",
                        NETWORK),
                named(
                        TOPOLOGY,
                        FollowedInputHints::namedNetworkFile,
                        "check the name; for the format see docs/network-file.md",
                        "etc/none.yaml",
                        NETWORK));
    }

    private static Stream<Row> inOtherFiles() {
        String mesh = "CULVERT_MESH=wireguard; CULVERT_MESH_CONFIG=/" + CLIENTS;
        String node = "CULVERT_MESH=wireguard; CULVERT_MESH_CONFIG=/" + NETWORK + "; CULVERT_MESH_NODE=hub";
        String proxy = "CULVERT_SOCKS=true; CULVERT_SOCKS_CONFIG=/" + PROXY;
        return Stream.of(
                withFile(mesh, CLIENTS, "add ListenPort = 51820", "ListenPort = 51821\n", "", "")
                        .repairedBy(CLIENTS, "Address", "ListenPort = 51820\nAddress"),
                withFile(
                        mesh,
                        CLIENTS,
                        "use the client's own addresses, such as 10.99.0.2/32",
                        "10.99.0.2/32",
                        "0.0.0.0/0",
                        "10.99.0.2/32"),
                withFile(
                        mesh,
                        CLIENTS,
                        "use another range for the mesh, such as 10.99.0.0/24",
                        "10.99.0.2/32",
                        "10.64.0.0/16",
                        "10.99.0.0/24"),
                withFile(
                        mesh,
                        TUNNEL,
                        "use another port here, or delete that line from the provider's file",
                        "DNS",
                        "ListenPort = 51821\nDNS",
                        "DNS"),
                withFile(
                                node,
                                NETWORK,
                                "set listenPort: 51820 there, or another port that it has in no other subnet",
                                "listenPort: 51820, ",
                                "",
                                "")
                        .and(NETWORK, "{ip: 192.0.2.1}", "{ip: 192.0.2.1, port: 51820}")
                        .repairedBy(NETWORK, "ipAddresses: [10.0.0.1]", "listenPort: 51820, ipAddresses: [10.0.0.1]"),
                settings(
                        "set CULVERT_MESH_NODE to the peer's name",
                        "CULVERT_MESH=wireguard; CULVERT_MESH_CONFIG=/" + NETWORK,
                        "CULVERT_MESH_NODE=hub"),
                settings("did you mean 'hub'?", node.replace("=hub", "=hob"), "CULVERT_MESH_NODE=hub"),
                settings(
                        "list the peers: culvert mesh list",
                        node.replace("=hub", "=somebody"),
                        "CULVERT_MESH_NODE=hub"),
                withFile(node, NETWORK, "delete its 'via'", "    exit: true\n", "    via: phone\n", "")
                        .and(NETWORK, "groups: [phones]", "exit: true"),
                withFile(
                        node,
                        NETWORK,
                        "create it with 'culvert mesh keygen', or correct the path in the network file",
                        "@root@/etc/wg-key",
                        "@root@/etc/none",
                        "@root@/etc/wg-key"),
                withFile(
                        node,
                        NETWORK,
                        "correct publicKey or privateKeyFile in the network file",
                        PUBLIC_OF_OWN,
                        SERVER,
                        PUBLIC_OF_OWN),
                withFile(
                        node,
                        "etc/wg-key",
                        "move the file away, then generate a key: culvert mesh keygen @root@/etc/wg-key",
                        OWN,
                        "nothing",
                        OWN),
                withFile(
                        node,
                        NETWORK,
                        "move the routes to a peer that does not run 'culvert up'",
                        "exit: true",
                        "exit: true\n    routes: [192.168.7.0/24]",
                        "exit: true"),
                withFile(
                        proxy,
                        PROXY,
                        "add 'internal: 0.0.0.0 port = 1080'",
                        "internal: 0.0.0.0 port = 1080\n",
                        "\n",
                        "internal: 0.0.0.0 port = 1080\n"),
                withFile(
                        proxy,
                        PROXY,
                        "use one port for all 'internal' lines",
                        "internal: 0.0.0.0 port = 1080\n",
                        "internal: 0.0.0.0 port = 1080\ninternal: :: port = 1081\n",
                        "internal: 0.0.0.0 port = 1080\ninternal: :: port = 1080\n"),
                withFile(proxy, PROXY, "add 'external: wg0'", "external: wg0\n", "", "")
                        .repairedBy(PROXY, "internal", "external: wg0\ninternal"),
                withFile(proxy, PROXY, "use 'wg0'", "external: wg0", "external: eth0", "external: wg0"),
                withFile(
                        proxy,
                        PROXY,
                        "use a port number from 1 to 65535",
                        "port = 1080",
                        "port = 99999",
                        "port = 1080"));
    }
}
