package io.culvert.mesh.tailscale;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.process.Kin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The start phase by phase, in states that the real programs cannot be forced into. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class TailscaleMeshTest {

    /** Prints its arguments, then a line every 0.1 s, each of which makes the mesh check the socket. */
    private static final String RUNS = """
            echo "arguments: $TS_EXTRA_ARGS"
            while :; do echo tick; sleep 0.1; done
            """;

    @TempDir
    Path root;

    @Test
    void the_exit_is_offered_once_the_tunnel_is_up_and_not_before() throws Exception {
        try (Boot boot = new Boot(root, Map.of("TS_EXTRA_ARGS", "--ssh --advertise-exit-node"), RUNS)) {
            boot.mesh().start();
            boot.until(() -> boot.lines().contains("arguments: --ssh --advertise-exit-node=false"));
            try (ScriptedTailscaled tailscaled = tailscaled()) {
                tailscaled.notify("{\"State\":6}");
                boot.until(() -> boot.mesh().describe().contains("offers exit node once the tunnel is connected"));
                assertThat(tailscaled.asked()).noneMatch(it -> it.startsWith("PATCH"));

                boot.mesh().offerExit();
                boot.until(() -> boot.mesh().describe().contains("offers exit node, not approved yet"));
                assertThat(tailscaled.asked()).anyMatch(it -> it.startsWith("PATCH prefs {\"AdvertiseRoutes\""));
            }
        }
    }

    @Test
    void peers_that_are_online_are_greeted_as_soon_as_they_are_known() throws Exception {
        try (Boot boot = new Boot(root, Map.of(), RUNS)) {
            boot.mesh().start();
            boot.until(() -> boot.starts() == 1);
            try (ScriptedTailscaled tailscaled = tailscaled()
                    .answer("GET status", "{\"Peer\":{\"k\":{\"Online\":true,\"TailscaleIPs\":[\"100.64.0.2\"]}}}")
                    .answer("POST ping", "{}")) {
                tailscaled.notify("{\"State\":5}");
                boot.until(() -> tailscaled.asked().contains("POST ping"));
            }
        }
    }

    @Test
    void a_headscale_is_not_blamed_for_what_it_does_not_tell() throws Exception {
        try (Boot boot = new Boot(root, server(), RUNS)) {
            boot.mesh().start();
            boot.until(() -> boot.starts() == 1);
            try (ScriptedTailscaled tailscaled = tailscaled()) {
                tailscaled.notify("{\"State\":6}");
                boot.mesh().offerExit();
                boot.until(() -> boot.mesh().describe().endsWith(", offers exit node"));
                assertThat(boot.news())
                        .doesNotHaveDuplicates()
                        .last()
                        .isEqualTo(boot.mesh().describe());
                assertThat(boot.mesh().tailnet().suffix()).contains("tail.test");
            }
        }
    }

    @Test
    void a_kernel_that_does_not_forward_is_said() throws Exception {
        try (Boot boot = new Boot(root, server(), RUNS)) {
            boot.mesh().start();
            boot.until(() -> boot.starts() == 1);
            try (ScriptedTailscaled tailscaled =
                    tailscaled().answer("GET check-ip-forwarding", "{\"Warning\":\"IP forwarding is disabled\"}")) {
                tailscaled.notify("{\"State\":6}");
                boot.until(() -> boot.told().contains(Complaint.FORWARDING.problem()));
            }
        }
    }

    @Test
    void a_start_with_the_tunnel_up_offers_the_exit_at_once() throws Exception {
        try (Boot boot = new Boot(root, Map.of(), "echo \"arguments: $TS_EXTRA_ARGS\"")) {
            boot.mesh().offerExit();
            boot.mesh().start();
            boot.until(() -> boot.lines().contains("arguments: --advertise-exit-node=true"));
        }
    }

    @Test
    void who_says_no_offers_no_exit() throws Exception {
        try (Boot boot = new Boot(root, Map.of("TS_EXTRA_ARGS", "--advertise-exit-node=false"), RUNS)) {
            boot.mesh().offerExit();
            boot.mesh().start();
            boot.until(() -> boot.lines().contains("arguments: --advertise-exit-node=false"));
        }
    }

    @Test
    void an_end_that_nobody_asked_for_is_followed_by_a_start_whatever_its_status() throws Exception {
        try (Boot boot = new Boot(root, Map.of(), "echo 'boot: 2026/11/22 17:08:10 something new happened'; exit 0")) {
            boot.mesh().start();
            boot.until(() -> boot.starts() == 3);

            assertThat(boot.told()).singleElement().asString().contains("containerboot exited: something new happened");
        }
    }

    @Test
    void what_is_left_of_the_last_run_is_cleared_away() throws Exception {
        Files.createFile(Boot.socket(root));
        Path link = Files.createDirectories(root.resolve("var/run/tailscale")).resolve("tailscaled.sock");
        Files.createSymbolicLink(link, Boot.socket(root));
        // An orphan in a session of its own, like tailscaled when containerboot is killed.
        String script = "setsid sh -c 'echo orphan $$ $CULVERT_CHILD; exec sleep 600'; exit 1";
        try (Boot boot =
                new Boot(root, Map.of(), "(" + script + ") & [ -e " + Boot.socket(root) + " ] && echo stale; wait")) {
            boot.mesh().start();
            boot.until(() -> boot.lines().stream().anyMatch(line -> line.startsWith("orphan")));
            assertThat(boot.lines()).doesNotContain("stale");
            assertThat(link).doesNotExist();
        }
        assertThat(kin().end(Duration.ofSeconds(1))).isZero();
    }

    @Test
    void flags_that_a_node_remembers_are_dropped_with_a_word_and_it_starts() throws Exception {
        Path lost = Files.writeString(root.resolve("lost"), Recorded.text("flags-lost.txt"));
        String script = "case \"$TS_EXTRA_ARGS\" in *--reset*) echo \"arguments: $TS_EXTRA_ARGS\";;" + " *) cat " + lost
                + "; exit 1;; esac";
        try (Boot boot = new Boot(root, server(), script)) {
            boot.mesh().start();
            boot.until(() -> boot.lines().stream().anyMatch(line -> line.endsWith("--reset")));

            assertThat(boot.told())
                    .anySatisfy(problem -> assertThat(problem.what()).endsWith("are reset: --shields-up"));
        }
    }

    @Test
    void a_key_in_an_error_is_not_shown() throws Exception {
        String script = "echo \"tailscale up --auth-key=$TS_AUTHKEY\"";
        try (Boot boot = new Boot(root, Map.of("TS_AUTHKEY", "tskey-auth-secret"), script)) {
            boot.mesh().start();
            boot.until(() -> !boot.lines().isEmpty());

            assertThat(boot.lines().getFirst()).isEqualTo("tailscale up --auth-key=(hidden)");
        }
    }

    @Test
    void a_login_is_waited_for_and_its_newest_address_shown() throws Exception {
        try (Boot boot = new Boot(root, server(), RUNS)) {
            boot.mesh().start();
            boot.until(() -> boot.starts() == 1);
            try (ScriptedTailscaled tailscaled = tailscaled()) {
                tailscaled.notify("{\"State\":2,\"BrowseToURL\":\"http://198.51.100.2:8080/register/one\"}");
                boot.until(() ->
                        boot.mesh().describe().endsWith("waiting for login: http://198.51.100.2:8080/register/one"));
                tailscaled.notify("{\"BrowseToURL\":\"http://198.51.100.2:8080/register/two\"}");
                boot.until(() -> boot.mesh().describe().endsWith("/register/two"));
                tailscaled.notify("{\"State\":6}");
                boot.until(() -> !boot.mesh().describe().contains("login"));
            }
            assertThat(boot.told()).hasSize(2);
        }
    }

    @Test
    void the_address_of_a_login_is_read_from_the_output_too() throws Exception {
        Path login = Files.writeString(root.resolve("login"), Recorded.text("login-needed.txt"));
        try (Boot boot = new Boot(root, server(), "head -90 " + login + "; sleep 600")) {
            boot.mesh().start();
            boot.until(() -> boot.mesh().describe().contains("waiting for login: http://198.51.100.2:8080/register/"));

            assertThat(boot.told()).hasSize(1);
        }
    }

    @Test
    void a_used_key_is_said_with_its_cure_and_stays_in_the_status() throws Exception {
        Path used = Files.writeString(root.resolve("used"), Recorded.text("key-used.txt"));
        try (Boot boot = new Boot(root, server(), "cat " + used + "; exit 1")) {
            boot.mesh().start();
            boot.until(() -> boot.starts() == 2);

            assertThat(boot.told()).singleElement().satisfies(problem -> {
                assertThat(problem.what()).contains("already been used");
                assertThat(problem.cure()).contains("TS_AUTH_ONCE=true");
            });
            assertThat(boot.mesh().describe()).contains("already been used");
        }
    }

    @Test
    void who_says_its_arguments_only_once_is_set_by_us() throws Exception {
        try (Boot boot = new Boot(root, Map.of("TS_AUTH_ONCE", "true", "TS_EXTRA_ARGS", "--shields-up"), RUNS)) {
            boot.mesh().start();
            boot.until(() -> boot.starts() == 1);
            try (ScriptedTailscaled tailscaled = tailscaled()) {
                tailscaled.notify("{\"State\":6}");
                boot.until(() -> !boot.told().isEmpty());
                assertThat(tailscaled.asked()).contains("PATCH prefs {\"ShieldsUp\":true,\"ShieldsUpSet\":true}");
            }
            assertThat(boot.told().getFirst().what()).endsWith("already logged in: --shields-up=true");
        }
    }

    @Test
    void it_stops_and_leaves_nothing_behind() throws Exception {
        Boot boot = new Boot(root, Map.of(), "setsid sleep 600 & exec sleep 600");
        boot.mesh().start();
        boot.until(() -> boot.starts() == 1);
        boot.close();

        assertThat(kin().end(Duration.ofSeconds(1))).isZero();
    }

    private Kin kin() {
        return new Kin("containerboot " + Boot.socket(root));
    }

    private static Map<String, String> server() {
        return Map.of("TS_EXTRA_ARGS", "--login-server=http://198.51.100.2:8080");
    }

    private ScriptedTailscaled tailscaled() throws IOException {
        return new ScriptedTailscaled(Boot.socket(root))
                .answer("GET prefs", "{\"AdvertiseRoutes\":null,\"ShieldsUp\":false}")
                .answer("PATCH prefs", "{}")
                .answer("GET check-ip-forwarding", "{\"Warning\":\"\"}")
                .answer("GET status", Recorded.text("status.json"));
    }
}
