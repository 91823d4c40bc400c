package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Box;
import io.culvert.lab.Outcome;
import io.culvert.lab.Shape;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is wrong is said with its place and its cure, all at once, and nothing is changed. */
@Tag("lab")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class BadInputTest {

    private final World world = World.of(Shape.USUAL);

    @AfterAll
    void closeLab() {
        world.close();
    }

    private void refused(int status, Map<String, String> settings, String... sentences) {
        String before = world.footprintBesideNftables();
        Outcome outcome = world.run(World.alone(settings), "up");
        assertThat(outcome.err())
                .contains(sentences)
                .doesNotContain("Exception")
                .doesNotContain("\tat ");
        assertThat(outcome.status()).isEqualTo(status);
        assertThat(world.footprintBesideNftables()).isEqualTo(before);
    }

    private String file(String name, String text) {
        return world.lab.node().file(name, text);
    }

    @Test
    void files_that_are_no_WireGuard_files_are_told_together() {
        String key = "PrivateKey = " + "A".repeat(43) + "=";
        String directory = world.lab.node().run().resolveSibling("wireguard").toString();
        world.lab.node().wireGuardFile("a-empty.conf", "");
        world.lab.node().wireGuardFile("b-huge.conf", "#".repeat(1 << 20) + "\n" + key);
        world.lab.node().wireGuardFile("c-binary.conf", "\u007fELF\0\0\0");
        world.lab.node().wireGuardFile("d-malformed.conf", "[Interface]\n" + key + "\nAdress = 10.0.0.1/32\n");
        try {
            refused(
                    2,
                    Map.of("CULVERT_WIREGUARD_CONFIG", directory),
                    "a-empty.conf",
                    "b-huge.conf: this file is larger than 1 MiB, so it is not a WireGuard file",
                    "c-binary.conf: this is a binary file",
                    "d-malformed.conf:3:1");
        } finally {
            for (String name : new String[] {"a-empty", "b-huge", "c-binary", "d-malformed"}) {
                assertThat(world.lab
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
    void settings_that_are_wrong_are_told_together() {
        Map<String, String> settings = new HashMap<>();
        settings.put("CULVERT_WIREGUARD_CONFIG", "/nowhere/provider.conf");
        settings.put("CULVERT_HOLEPUNH", "198.51.100.1");
        settings.put("CULVERT_SOCKS_PORT", "70000");
        settings.put("CULVERT_SOCKS_PASSWORD_FILE", "/run/secrets/none");
        settings.put("CULVERT_SOCKS_USER", "me");
        refused(
                2,
                settings,
                "CULVERT_WIREGUARD_CONFIG: /nowhere/provider.conf does not exist",
                "CULVERT_HOLEPUNH",
                "CULVERT_HOLEPUNCH",
                "CULVERT_SOCKS_PORT",
                "70000",
                "/run/secrets/none");
    }

    @Test
    void a_directory_without_files() {
        String empty = world.lab.node().run().resolve("wireguard").toString();
        refused(
                2,
                Map.of("CULVERT_WIREGUARD_CONFIG", empty),
                "CULVERT_WIREGUARD_CONFIG: " + empty + " contains no *.conf file");
    }

    @Test
    void a_secret_that_ends_in_a_newline_is_the_secret_without_it() {
        Outcome plan = world.run(World.alone(Map.of("CULVERT_DNS_FILE", file("dns", "198.51.100.53\n"))), "plan");
        assertThat(plan.status()).as(plan.err()).isZero();
        assertThat(plan.out() + plan.err()).doesNotContain("\\n");
    }

    @Test
    void settings_that_contradict_each_other() {
        refused(
                2,
                Map.of("CULVERT_DNS", "198.51.100.53", "CULVERT_DNS_FILE", file("dns2", "198.51.100.54")),
                "CULVERT_DNS");
    }

    @Test
    void a_container_without_NET_ADMIN() {
        world.in(Box.CONTAINER.without("net_admin"));
        try {
            refused(
                    3,
                    Map.of(),
                    "CAP_NET_ADMIN: is missing, but the kill switch and the tunnel require it",
                    "compose: cap_add: [NET_ADMIN]; podman or docker run: --cap-add NET_ADMIN");
        } finally {
            world.in(Box.CONTAINER);
        }
    }

    @Test
    void a_container_without_a_tun_device() {
        world.in(Box.CONTAINER.withoutTun());
        try {
            refused(
                    3,
                    Map.of(),
                    "/dev/net/tun: cannot be opened, but userspace WireGuard requires it",
                    "podman or docker run: --device /dev/net/tun");
        } finally {
            world.in(Box.CONTAINER);
        }
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
                    REFUSED         | nftables: cannot be changed: | in a network namespace of its own
                    ABSENT          | nftables: this kernel or sandbox has no netfilter: | run on a Linux kernel with nf_tables
                    WITHOUT_LIBRARY | libnftables.so.1: not installed | install libnftables (Debian: libnftables1)
                    """, delimiter = '|')
    void nftables_that_cannot_be_used(Box.Nft found, String what, String cure) {
        world.in(Box.CONTAINER.with(found));
        try {
            refused(3, Map.of(), what, cure);
        } finally {
            world.in(Box.CONTAINER);
        }
    }

    @Test
    void a_password_file_that_is_missing() {
        refused(
                2,
                Map.of(
                        "CULVERT_SOCKS", "true",
                        "CULVERT_SOCKS_USER", "lotte",
                        "CULVERT_SOCKS_PASSWORD_FILE", "/run/secrets/password"),
                "CULVERT_SOCKS_PASSWORD_FILE: /run/secrets/password does not exist");
    }

    @Test
    void an_interface_of_somebody_else() {
        world.space().run("ip", "link", "add", "wg0", "type", "bridge");
        try {
            refused(
                    3,
                    Map.of(),
                    "wg0: an interface of this name exists already and does not belong to Culvert",
                    "remove it with the program that created it (wg-quick down wg0)");
        } finally {
            world.space().run("ip", "link", "delete", "wg0");
        }
    }

    @Test
    void another_Culvert_in_the_same_network_and_what_check_and_status_say() {
        assertThat(world.run(World.alone(Map.of()), "health").status()).isEqualTo(1);
        assertThat(world.run(World.alone(Map.of()), "check").out()).contains("no exit node is running here");
        world.in(Box.MACHINE);
        try (var first = world.connect(World.alone(Map.of()))) {
            refused(3, Map.of(), "network namespace: another Culvert is running in it", "stop that one first");
            assertThat(world.run(World.alone(Map.of()), "status", "--json").out())
                    .contains("\"state\":\"connected\"", "\"nftables\":true", "\"routing\":true");
            assertThat(world.run(World.alone(Map.of()), "health").status()).isZero();
            assertThat(world.run(World.alone(Map.of()), "check").out()).contains("√ connected to 203.0.113.10");
            first.signal("TERM");
            assertThat(first.awaitExit(World.SOON)).isZero();
        } finally {
            world.in(Box.CONTAINER);
        }
    }
}
