// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import static io.culvert.networkfile.NetworkText.key;
import static io.culvert.networkfile.NetworkText.peer;
import static io.culvert.networkfile.NetworkText.problems;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Errors are reported together, each with its location and a hint. */
class NetworkFileTest {

    private static final String SERVER =
            peer("server", 1, "mesh: {listenPort: 51820, ipAddresses: [10.0.0.1]}", "endpoints: [{ip: 192.0.2.1}]");

    private static String with(String peers) {
        return "version: v1\nsubnets: [{name: mesh}]\npeers:\n" + SERVER + peers + "connections: [{a: [], b: []}]\n";
    }

    @Test
    void all_errors_are_reported_together_in_the_order_of_the_file() {
        String text = """
                version: v1
                subnets:
                  - name: mesh
                    endpoint: [{port: 51820}]
                peers:
                  - name: one
                    subnets: {mush: {listenPort: 70000}}
                    publicKey: abc
                    private_key_file: /etc/key
                connections:
                  - a: [{type: per, rule: is, value: one}]
                    b: [{type: peer, rule: is, value: ona}]
                """;

        assertThat(problems(text))
                .map(problem -> problem.lines().findFirst().orElseThrow().replaceFirst("^.*?yaml", ""))
                .containsExactly(
                        ":4:5: a subnet has no key 'endpoint'",
                        ":6:11: peer 'one' has no privateKeyFile",
                        ":6:11: warning: peer 'one' is not linked with any peer",
                        ":7:15: there is no subnet 'mush'",
                        ":7:34: listenPort: '70000' is not a number from 1 to 65535",
                        ":8:16: publicKey: a key has 44 base64 characters, this one has 3",
                        ":9:5: a peer has no key 'private_key_file'",
                        ":11:16: type: 'per' is not one of peer, group, subnet",
                        ":12:39: there is no peer 'ona'");
        assertThat(problems(text))
                .map(problem -> problem.lines().skip(1).findFirst().orElse("").strip())
                .contains(
                        "hint: did you mean endpoints?",
                        "hint: did you mean mesh?",
                        "hint: did you mean privateKeyFile?",
                        "hint: did you mean peer?",
                        "hint: did you mean one?");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            mesh: {ipAddresses: [10.0.0.1]}     |                         | 10.0.0.1 is already assigned to 'server' in subnet 'mesh' (line 4)
            mesh: {ipAddresses: [10.0.0]}       |                         | ipAddresses: '10.0.0' is not an IP address
            mesh: {ipAddresses: [224.0.0.1]}    |                         | cannot be the address of a peer
            mesh: {listenPort: x}               |                         | listenPort: 'x' is not a number from 1 to 65535
            mesh: 5                             |                         | a peer's subnet must be a mapping, found a single value
            mesh: {listenport: 5}               |                         | a peer's subnet has no key 'listenport'
            mesh:                               | groups: [nowhere]       | there is no group 'nowhere'
            mesh:                               | groups: nowhere         | groups must be a list, found a single value
            mesh:                               | via: nobody             | there is no peer 'nobody'
            mesh:                               | via: server             | 'server' is not an exit node
            mesh:                               | via: p                  | 'p' cannot be its own exit node
            mesh:                               | exit: yes               | exit: 'yes' is neither true nor false
            mesh:                               | routes: [0.0.0.0/0]     | routes: 0.0.0.0/0 is a default route
            mesh:                               | routes: [10.0.0.1/32]   | 10.0.0.1/32 is the address of 'server'
            mesh:                               | routes: [10.1.0.1/24]   | 10.1.0.1/24 has host bits set, treated as 10.1.0.0/24
            mesh:                               | endpoints: [{ip: 'a:1'}] | ip: 'a:1' is neither an IP address nor a host name
            mesh:                               | endpoints: [{ip: 0.0.0.0}] | 0.0.0.0 is not the address of a peer
            mesh:                               | endpoints: [{ip: 192.0.2.9}] | the endpoint of 'p' for 'server' has no port
            mesh:                               | endpoints: [{candidates: []}] | candidates is empty
            mesh:                               | endpoints: [{candidates: [{port: 1}]}] | this candidate has no ip
            mesh: {ipAddresses: [b2aZq6Xca7rC/wTn/NJiacH5wuecIViR71y++t2Z+io=]} | | ipAddresses: not an IP address
            mesh:                               | endpoints: [{ip: 192.0.2.9, candidates: [{ip: 192.0.2.8}]}] | an endpoint cannot have both ip and candidates
            mesh:                               | name: p                 | 'name' is already set in line 5
            """)
    void errors_of_a_peer_are_reported(String subnets, String more, String message) {
        assertThat(problems(with(peer("p", 2, subnets, more == null ? "" : more))))
                .anyMatch(problem -> problem.contains(message));
    }

    @Test
    void a_name_must_be_valid_in_host_names() {
        assertThat(problems(with(peer("'a b'", 2, "mesh:", ""))))
                .anyMatch(problem -> problem.contains(":5:12: 'a b' is not a valid name for a peer"));
    }

    @Test
    void each_peer_has_its_own_key() {
        assertThat(problems(with(peer("p", 1, "mesh:", ""))))
                .anyMatch(problem -> problem.contains("has the same publicKey"));
    }

    @Test
    void interfaces_of_a_node_need_different_names_and_ports() {
        String text = "version: v1\nsubnets: [{name: a.x}, {name: a.y}]\npeers:\n"
                + peer("p", 1, "a.x: {listenPort: 5}, a.y: {listenPort: 5}", "")
                + "connections: []\n";

        assertThat(problems(text))
                .anyMatch(problem -> problem.contains("would have the same name 'a'"))
                .anyMatch(problem -> problem.contains("listenPort 5 is already used in subnet 'a.x'"));
    }

    @Test
    void a_loop_of_exit_nodes_is_an_error() {
        String text = with(peer("a", 2, "mesh: {listenPort: 2}", "exit: true, via: b, endpoints: [{ip: 192.0.2.2}]")
                + peer("b", 3, "mesh: {listenPort: 3}", "exit: true, via: a, endpoints: [{ip: 192.0.2.3}]"));

        assertThat(problems(text)).anyMatch(problem -> problem.contains("is part of a loop of exit nodes"));
    }

    @Test
    void an_exit_node_client_without_an_address_of_a_family_is_a_warning() {
        String text = with(peer("hub", 2, "mesh: {listenPort: 2}", "exit: true, endpoints: [{ip: 192.0.2.2}]")
                + peer("p", 3, "mesh:", "via: hub"));

        assertThat(problems(text)).singleElement().asString().contains("has no IPv4 address in subnet 'mesh'");
    }

    @Test
    void equal_routes_of_two_peers_are_an_error_and_overlapping_routes_a_warning() {
        String same = with(peer("a", 2, "mesh:", "routes: [10.7.0.0/16]")
                        + peer("b", 3, "mesh:", "routes: [10.7.0.0/16]"))
                .replace("{a: [], b: []}", "{a: [{type: peer, rule: is, value: server}], b: []}");

        assertThat(problems(same))
                .singleElement()
                .asString()
                .contains("10.7.0.0/16 is already routed to 'a' (line 5), and a peer is linked with both");
        assertThat(problems(same.replace("[10.7.0.0/16]}\nconn", "[10.7.1.0/24]}\nconn")))
                .singleElement()
                .asString()
                .contains("warning: 10.7.1.0/24 and 10.7.0.0/16 behind 'a' overlap");
    }

    @Test
    void json_is_accepted_even_with_tabs() {
        String json = """
                {
                \t"version": "v1",
                \t"subnets": [],
                \t"peers": [],
                \t"connection": []
                }
                """;

        assertThat(problems(json))
                .anyMatch(problem -> problem.contains(":5:2: a network file has no key 'connection'"));
        assertThat(problems(json.replace("connection", "connections"))).isEmpty();
    }

    @Test
    void invalid_yaml_is_reported_with_its_location() {
        assertThat(problems("version: v1\nsubnets: [\n"))
                .singleElement()
                .asString()
                .contains(":3:1: this is not valid YAML");
        assertThat(problems("a: &x [1]\nb: *y\n")).singleElement().asString().contains(":2:4: undefined alias *y");
        assertThat(problems("a: 1\n---\nb: 2\n")).singleElement().asString().contains(":2:1: second document");
        assertThat(problems("")).singleElement().asString().contains("this file is empty");
        assertThat(problems("- 1\n"))
                .singleElement()
                .asString()
                .contains("a network file must be a mapping, found a list");
        assertThat(problems("a: ".repeat(1) + "[".repeat(5000)))
                .singleElement()
                .asString()
                .contains("nested too deeply");
        assertThat(problems("? [a]\n: 1\n")).anyMatch(problem -> problem.contains("a key cannot be a list"));
    }

    @Test
    void yaml_anchors_and_aliases_are_supported() {
        String text =
                "version: v1\nsubnets: [{name: mesh, endpoints: &port [{port: 1}]}, {name: two, endpoints: *port}]\npeers: []\nconnections: []\n";

        assertThat(problems(text)).isEmpty();
    }

    @Test
    void messages_contain_no_keys() {
        String text = with(peer("p", 2, "mesh:", "publicKey2: x, groups: [" + key(9) + "]"));

        assertThat(String.join("\n", problems(text))).doesNotContain(key(9));
    }

    @Test
    void unreadable_files_are_reported(@TempDir Path directory) throws IOException {
        Path latin = Files.write(directory.resolve("latin.yaml"), new byte[] {'a', ':', ' ', (byte) 0xe4});

        assertThat(List.of(directory.resolve("none.yaml"), directory, latin))
                .allSatisfy(
                        file -> assertThat(NetworkFile.read(file).problems()).hasSize(1));
    }

    @Test
    void at_most_100_problems_are_reported() {
        StringBuilder text = new StringBuilder("version: v1\nsubnets: []\nconnections: []\npeers:\n");
        for (int i = 0; i < 3000; i++) {
            text.append("  - {name: p").append(i).append("}\n");
        }

        assertThat(problems(text.toString())).hasSize(101).last().asString().contains("more problems");
    }
}
