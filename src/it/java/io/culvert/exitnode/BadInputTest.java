// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Sandbox;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Errors in settings and files are reported together, each with its location and a hint, and nothing is changed. */
@NamespaceTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadInputTest {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterAll
    void closeLab() {
        fixture.close();
    }

    private void assertRefused(int status, Map<String, String> settings, String... sentences) {
        String before = fixture.footprintWithoutNftables();
        CommandResult outcome = fixture.run(ExitNodeFixture.withoutMesh(settings), "up");
        assertThat(outcome.err())
                .contains(sentences)
                .doesNotContain("Exception")
                .doesNotContain("\tat ");
        assertThat(outcome.status()).isEqualTo(status);
        assertThat(fixture.footprintWithoutNftables()).isEqualTo(before);
    }

    private String file(String name, String text) {
        return fixture.lab.node().file(name, text);
    }

    @Test
    void all_invalid_WireGuard_files_are_reported_together() {
        String key = "PrivateKey = " + "A".repeat(43) + "=";
        String directory = fixture.lab.node().run().resolveSibling("wireguard").toString();
        fixture.lab.node().wireGuardFile("a-empty.conf", "");
        fixture.lab.node().wireGuardFile("b-huge.conf", "#".repeat(1 << 20) + "\n" + key);
        fixture.lab.node().wireGuardFile("c-binary.conf", "\u007fELF\0\0\0");
        fixture.lab.node().wireGuardFile("d-malformed.conf", "[Interface]\n" + key + "\nAdress = 10.0.0.1/32\n");
        try {
            assertRefused(
                    2,
                    Map.of("CULVERT_WIREGUARD_CONFIG", directory),
                    "a-empty.conf",
                    "b-huge.conf: this file is larger than 1 MiB, so it is not a WireGuard file",
                    "c-binary.conf: this is a binary file",
                    "d-malformed.conf:3:1");
        } finally {
            for (String name : new String[] {"a-empty", "b-huge", "c-binary", "d-malformed"}) {
                assertThat(fixture.lab
                                .node()
                                .run()
                                .resolveSibling("wireguard/" + name + ".conf")
                                .toFile()
                                .delete())
                        .isTrue();
            }
        }
    }

    @Test
    void all_invalid_settings_are_reported_together() {
        Map<String, String> settings = new HashMap<>();
        settings.put("CULVERT_WIREGUARD_CONFIG", "/nowhere/provider.conf");
        settings.put("CULVERT_BYPAS", "198.51.100.1");
        settings.put("CULVERT_SOCKS_PORT", "70000");
        settings.put("CULVERT_SOCKS_PASSWORD_FILE", "/run/secrets/none");
        settings.put("CULVERT_SOCKS_USER", "me");
        assertRefused(
                2,
                settings,
                "CULVERT_WIREGUARD_CONFIG: /nowhere/provider.conf does not exist",
                "CULVERT_BYPAS",
                "CULVERT_BYPASS",
                "CULVERT_SOCKS_PORT",
                "70000",
                "/run/secrets/none");
    }

    @Test
    void a_directory_without_files_is_reported() {
        String empty = fixture.lab.node().run().resolve("wireguard").toString();
        assertRefused(
                2,
                Map.of("CULVERT_WIREGUARD_CONFIG", empty),
                "CULVERT_WIREGUARD_CONFIG: " + empty + " contains no *.conf file");
    }

    @Test
    void a_trailing_newline_in_a_secret_file_is_ignored() {
        CommandResult plan = fixture.run(
                ExitNodeFixture.withoutMesh(Map.of("CULVERT_DNS_FILE", file("dns", "198.51.100.53\n"))), "plan");
        assertThat(plan.status()).as(plan.err()).isZero();
        assertThat(plan.out() + plan.err()).doesNotContain("\\n");
    }

    @Test
    void contradictory_settings_are_reported() {
        assertRefused(
                2,
                Map.of("CULVERT_DNS", "198.51.100.53", "CULVERT_DNS_FILE", file("dns2", "198.51.100.54")),
                "CULVERT_DNS");
    }

    @Test
    void a_missing_NET_ADMIN_capability_is_reported() {
        fixture.in(Sandbox.CONTAINER.without("net_admin"));
        try {
            assertRefused(
                    3,
                    Map.of(),
                    "CAP_NET_ADMIN: is missing, but the kill switch and the tunnel require it",
                    "compose: cap_add: [NET_ADMIN]; podman or docker run: --cap-add NET_ADMIN");
        } finally {
            fixture.in(Sandbox.CONTAINER);
        }
    }

    @Test
    void a_missing_tun_device_is_reported() {
        fixture.in(Sandbox.CONTAINER.withoutTun());
        try {
            assertRefused(
                    3,
                    Map.of(),
                    "/dev/net/tun: cannot be opened, but userspace WireGuard requires it",
                    "podman or docker run: --device /dev/net/tun");
        } finally {
            fixture.in(Sandbox.CONTAINER);
        }
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
                    REFUSED         | nftables: cannot be changed: | in a network namespace of its own
                    ABSENT          | nftables: this kernel or sandbox has no netfilter: | run on a Linux kernel with nf_tables
                    """, delimiter = '|')
    void unusable_nftables_are_reported(Sandbox.Nft nftState, String message, String hint) {
        fixture.in(Sandbox.CONTAINER.with(nftState));
        try {
            assertRefused(3, Map.of(), message, hint);
        } finally {
            fixture.in(Sandbox.CONTAINER);
        }
    }

    @Test
    void a_missing_password_file_is_reported() {
        assertRefused(
                2,
                Map.of(
                        "CULVERT_SOCKS", "true",
                        "CULVERT_SOCKS_USER", "lotte",
                        "CULVERT_SOCKS_PASSWORD_FILE", "/run/secrets/password"),
                "CULVERT_SOCKS_PASSWORD_FILE: /run/secrets/password does not exist");
    }

    @Test
    void a_foreign_interface_is_reported() {
        fixture.namespace().run("ip", "link", "add", "wg0", "type", "bridge");
        try {
            assertRefused(
                    3,
                    Map.of(),
                    "wg0: an interface of this name exists already and does not belong to Culvert",
                    "remove it with the program that created it (wg-quick down wg0)");
        } finally {
            fixture.namespace().run("ip", "link", "delete", "wg0");
        }
    }

    @Test
    void another_Culvert_in_the_network_namespace_is_reported_by_check_and_status() {
        assertThat(fixture.run(ExitNodeFixture.withoutMesh(Map.of()), "health").status())
                .isEqualTo(1);
        assertThat(fixture.run(ExitNodeFixture.withoutMesh(Map.of()), "check").out())
                .contains("no exit node is running here");
        fixture.in(Sandbox.MACHINE);
        try (var first = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()))) {
            assertRefused(3, Map.of(), "network namespace: another Culvert is running in it", "stop that one first");
            assertThat(fixture.run(ExitNodeFixture.withoutMesh(Map.of()), "status", "--json")
                            .out())
                    .contains("\"state\":\"connected\"", "\"nftables\":true", "\"routing\":true");
            assertThat(fixture.run(ExitNodeFixture.withoutMesh(Map.of()), "health")
                            .status())
                    .isZero();
            assertThat(fixture.run(ExitNodeFixture.withoutMesh(Map.of()), "check")
                            .out())
                    .contains("√ connected to 203.0.113.10");
            first.signal("TERM");
            assertThat(first.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
        } finally {
            fixture.in(Sandbox.CONTAINER);
        }
    }
}
