// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.FollowedHint;
import java.util.stream.Stream;

/** The hints about a network file. */
public class FollowedNetworkFileHintsTest extends FollowedInputHints {

    /** For HintCoverageTest. */
    public static Stream<FollowedHint> hints() {
        return of(rows());
    }

    private static Stream<Row> rows() {
        String phone = "subnets: {mesh: {ipAddresses: [10.0.0.2]}}\n";
        String more = phone + "    ";
        return Stream.of(
                network("use an address that no other peer has", "[10.0.0.2]", "[10.0.0.1]", "[10.0.0.3]"),
                network(
                                "use another port, as each interface has its own socket",
                                "[10.0.0.1]}",
                                "[10.0.0.1]}, spare: {listenPort: 51820}",
                                "[10.0.0.1]}, spare: {listenPort: 51821}")
                        .and("value: phone}]", "value: phone}]\n    subnets: [mesh]"),
                network(
                                "use different networks for the subnets, or longer prefix lengths",
                                "[10.0.0.1]}",
                                "[10.0.0.1]}, spare: {listenPort: 5, ipAddresses: [10.0.0.9]}",
                                "[10.0.0.1]}, spare: {listenPort: 5, ipAddresses: [10.0.1.9]}")
                        .and("value: phone}]", "value: phone}]\n    subnets: [mesh]"),
                network(
                        "add the ip to the candidates, in their order of preference",
                        "{ip: 192.0.2.1}",
                        "{ip: 192.0.2.1, candidates: [{ip: 192.0.2.2}]}",
                        "{candidates: [{ip: 192.0.2.1}, {ip: 192.0.2.2}]}"),
                network(
                        "add the endpoint candidates of the peer, the preferred one first",
                        "{ip: 192.0.2.1}",
                        "{candidates: []}",
                        "{candidates: [{ip: 192.0.2.1}]}"),
                network(
                        "add its address or host name",
                        "{ip: 192.0.2.1}",
                        "{candidates: [{port: 5}]}",
                        "{candidates: [{port: 5, ip: 192.0.2.1}]}"),
                network("use the address of the peer", "ip: 192.0.2.1", "ip: 0.0.0.0", "ip: 192.0.2.1"),
                network(
                        "set the port with the key 'port'",
                        "ip: 192.0.2.1",
                        "ip: 'a.example:5'",
                        "ip: a.example, port: 5"),
                network(
                        "use an address such as 192.0.2.10 or 2001:db8::10, or a host name",
                        "ip: 192.0.2.1",
                        "ip: 'a b'",
                        "ip: 192.0.2.10"),
                network("use keys and values, such as 'name: …'", "- name: spare", "- spare", "- name: spare"),
                network("delete one of them", "exit: true", "exit: true\n    exit: true", "exit: true"),
                network(
                        "use one of the keys ip, port",
                        "{ip: 192.0.2.1}",
                        "{candidates: [{ip: 192.0.2.1, zzz: 1}]}",
                        "{candidates: [{ip: 192.0.2.1, port: 1}]}"),
                network("did you mean endpoints?", "endpoints", "endpoint", "endpoints"),
                network("start each item with a dash", "groups: [phones]", "groups: phones", "groups:\n      - phones"),
                network("use a single value", "publicKey: " + THIRD, "publicKey: []", "publicKey: " + THIRD),
                network("use plain text", "name: phones", "name: ''", "name: phones"),
                network("use digits only", "51820", "x", "51820"),
                network("use true or false", "exit: true", "exit: yes", "exit: true"),
                network("use one of them", "type: peer", "type: everything", "type: peer"),
                network("did you mean peer?", "type: peer", "type: per", "type: peer"),
                network(
                        "add a connection that includes it",
                        "b: [{type: peer, rule: is, value: phone}]",
                        "b: [{type: peer, rule: is, value: hub}]",
                        "b: [{type: peer, rule: is, value: phone}]"),
                network(
                                "select fewer peers, or add 'mesh' to the subnets of 'phone'",
                                "subnets: {mesh: {ipAddresses: [10.0.0.2]}}",
                                "subnets: {}",
                                "subnets: {mesh: }")
                        .and(
                                "b: [{type: peer, rule: is, value: phone}]",
                                "b: [{type: peer, rule: is, value: phone}]\n    subnets: [mesh]"),
                network(
                                "name its subnets, such as 'subnets: [mesh]', or select fewer peers",
                                "[10.0.0.2]}",
                                "[10.0.0.2]}, spare: ",
                                "[10.0.0.2]}, spare: ")
                        .repairedBy("value: phone}]", "value: phone}]\n    subnets: [mesh]"),
                network(
                                "add an endpoint with an ip to one of them, or exclude the pair from the connection",
                                "    endpoints: [{ip: 192.0.2.1}]\n",
                                "",
                                "")
                        .repairedBy("    exit: true", "    endpoints: [{ip: 192.0.2.1}]\n    exit: true"),
                network("add a port to that endpoint, or a listenPort here", "listenPort: 51820, ", "", "")
                        .repairedBy("{ip: 192.0.2.1}", "{ip: 192.0.2.1, port: 51820}"),
                network(
                        "generate a new key in a separate file, and name that file in privateKeyFile",
                        "exit: true",
                        "exit: true\n    privateKey: x",
                        "exit: true"),
                network("copy the complete key as printed by 'wg pubkey'", THIRD, "abc", THIRD),
                network("use an address, such as 10.0.0.1, 10.0.0.1/16 or auto", "[10.0.0.2]", "[10.0.0]", "[auto]"),
                network("use another address", "[10.0.0.2]", "[224.0.0.1]", "[10.0.0.3]"),
                network(
                        "add the destination network",
                        phone,
                        more + "routes: [{masquerade: true}]\n",
                        more + "routes: [{masquerade: true, to: 192.168.7.0/24}]\n"),
                network(
                        "use a network, such as 192.168.7.0/24",
                        phone,
                        more + "routes: [x]\n",
                        more + "routes: [192.168.7.0/24]\n"),
                network(
                        "add 'exit: true' to this peer, and 'via:' to the peers that use it",
                        phone,
                        more + "routes: [0.0.0.0/0]\n",
                        more + "exit: true\n"),
                network("use 10.1.0.0/24", phone, more + "routes: [10.1.0.1/24]\n", more + "routes: [10.1.0.0/24]\n"),
                network("use an address, such as 10.0.0.1", phone, more + "dns: [x]\n", more + "dns: [10.0.0.1]\n"),
                network("use letters, digits, hyphens and dots only", "name: spare", "name: a b", "name: a-b"),
                network("rename one of them", "name: spare", "name: mesh", "name: other"),
                network("add it to 'groups'", "groups:\n  - name: phones\n", "", "")
                        .repairedBy("peers:", "groups:\n  - name: phones\npeers:"),
                network("use one of hub, phone", "value: phone", "value: somebody", "value: phone"),
                network("did you mean phone?", "value: phone", "value: phon", "value: phone"),
                network(
                                "set 'deviceNames: hash', or use a shorter name up to its first dot",
                                "name: spare",
                                "name: averyveryverylongname",
                                "name: averyveryverylongname")
                        .repairedBy("version: v1", "version: v1\ndeviceNames: hash"),
                network(
                                "set 'deviceNames: hash', or use a shorter name",
                                "name: spare",
                                "name: averyveryverylongname",
                                "name: spare")
                        .and("version: v1", "version: v1\ndeviceNames: long"),
                network(
                                "set 'deviceNames: long' or 'deviceNames: hash' at the top of the file",
                                "name: spare",
                                "name: mesh.two",
                                "name: mesh.two")
                        .and("[10.0.0.1]}", "[10.0.0.1]}, mesh.two: {listenPort: 5, ipAddresses: [10.8.0.1]}")
                        .and("value: phone}]", "value: phone}]\n    subnets: [mesh]")
                        .repairedBy("version: v1", "version: v1\ndeviceNames: hash"),
                network(
                        "name the key file on that machine, or set 'external: true' for a device that Culvert does not configure",
                        "privateKeyFile: /etc/phone-key",
                        "dns: []",
                        "external: true"),
                network(
                        "use a separate key for each peer, generated by 'culvert mesh keygen'",
                        THIRD,
                        PUBLIC_OF_OWN,
                        THIRD),
                network("add 'version: v1' as the first line", "version: v1\n", "", "")
                        .repairedBy("subnets:", "version: v1\nsubnets:"),
                network("use 'version: v1'", "version: v1", "version: v7", "version: v1"),
                network(
                        "add a name",
                        "- name: spare",
                        "- presharedKeyFile: /x",
                        "- name: spare\n    presharedKeyFile: /x"),
                network(
                        "use both, such as /etc/culvert/psk/{a}-{b}, or neither for a common key",
                        "- name: spare",
                        "- name: spare\n    presharedKeyFile: /psk/{a}",
                        "- name: spare\n    presharedKeyFile: /psk/{a}-{b}"),
                network(
                        "add the missing keys, at least as empty lists, such as 'connections: []'",
                        "subnets:\n",
                        "subnetz:\n",
                        "subnets:\n"),
                network(
                                "add the filters of both sides; '[]' selects all peers",
                                "    b: [{type: peer, rule: is, value: phone}]",
                                "",
                                "")
                        .repairedBy("  - a:", "  - b: []\n    a:"),
                network("add the missing keys", "publicKey: " + THIRD + "\n    ", "", "")
                        .repairedBy(
                                "privateKeyFile: /etc/phone-key",
                                "publicKey: " + THIRD + "\n    privateKeyFile: /etc/phone-key"),
                network(
                        "use the form {type: group, rule: is, value: servers}",
                        "{type: peer, rule: is, value: phone}",
                        "{type: peer, value: phone}",
                        "{type: peer, rule: is, value: phone}"),
                network("use another peer", phone, more + "via: phone\n", more + "via: hub\n"),
                network("add 'exit: true' to it (line 8)", "    exit: true\n", "", "")
                        .and(phone, more + "via: hub\n")
                        .repairedBy("[{ip: 192.0.2.1}]", "[{ip: 192.0.2.1}]\n    exit: true"),
                network(
                                "make sure that it forwards packets",
                                "    exit: true\n",
                                "    exit: true\n    external: true\n",
                                "    exit: true\n")
                        .and(phone, more + "via: hub\n"),
                network("add a connection between them", "value: phone}]", "value: hub}]", "value: phone}]")
                        .and(phone, more + "via: hub\n"),
                network("delete this route", phone, more + "routes: [10.0.0.1/32]\n", phone),
                network(
                        "add 'exit: true' to a peer instead, and 'via:' to the peers that use it",
                        phone,
                        more + "routes: [0.0.0.0/2, 64.0.0.0/2, 128.0.0.0/2, 192.0.0.0/2]\n",
                        more + "exit: true\n"),
                network(
                                "use networks that do not overlap, unless this is intended",
                                phone,
                                more + "routes: [192.168.7.0/24]\n",
                                more + "routes: [192.168.7.0/24]\n")
                        .and("exit: true\n", "exit: true\n    routes: [192.168.0.0/16]\n")
                        .repairedBy("192.168.0.0/16", "192.168.0.0/24"),
                network(
                        "add one to its ipAddresses in addition to auto",
                        phone,
                        "subnets: {mesh: {ipAddresses: [auto]}}\n    via: hub\n",
                        "subnets: {mesh: {ipAddresses: [auto, 10.0.0.2]}}\n    via: hub\n"),
                network(
                        "add one to its ipAddresses, such as auto",
                        phone,
                        more + "via: hub\n",
                        "subnets: {mesh: {ipAddresses: [10.0.0.2, auto]}}\n    via: hub\n"),
                network(
                                "delete 'via' from one of the peers",
                                phone,
                                more + "exit: true\n    via: hub\n",
                                more + "exit: true\n    via: hub\n")
                        .and("    endpoints: [{ip: 192.0.2.1}]\n", "    endpoints: [{ip: 192.0.2.1}]\n    via: phone\n")
                        .repairedBy("    via: phone\n", ""),
                network("delete one of the routes", phone, more + "routes: [192.168.7.0/24]\n", phone)
                        .and("exit: true\n", "exit: true\n    routes: [192.168.7.0/24]\n"),
                network(
                        "check indentation, quotes and brackets in this line and above",
                        "[10.0.0.2]",
                        "[10.0.0.2",
                        "[10.0.0.2]"),
                network(
                        "use one network per file, without '---' between its parts",
                        "groups:",
                        "---\ngroups:",
                        "groups:"),
                network("define the anchor &x above this line", "value: hub}", "value: *x}", "value: &x hub}"),
                network("use a single word", "exit: true", "[a]: true", "exit: true"),
                network(
                        "close the preceding brackets",
                        "exit: true",
                        "dns: " + "[".repeat(200) + "]".repeat(200),
                        "exit: true"),
                file(TOPOLOGY, NETWORK, FollowedInputHints::networkFile, "convert it to UTF-8", new byte[] {
                    (byte) 0xff, (byte) 0xfe, 1
                }),
                file(
                        TOPOLOGY,
                        NETWORK,
                        FollowedInputHints::networkFile,
                        "add 'version: v1' and the network; for the format see docs/network-file.md",
                        new byte[0]),
                file(TOPOLOGY, NETWORK, FollowedInputHints::networkFile, "use plain text in UTF-8", new byte[] {1, 2}));
    }
}
