// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.process.TaggedProcesses;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The start phase by phase, in states that cannot be produced with the real programs. */
class TailscaleMeshTest {

    /** Prints its arguments, then a line every 0.1 s, each of which makes the mesh check the socket. */
    private static final String RUNS = """
            echo "arguments: $TS_EXTRA_ARGS"
            while :; do echo tick; sleep 0.1; done
            """;

    @TempDir
    Path root;

    @Test
    void the_exit_node_is_advertised_only_once_the_tunnel_is_up() throws Exception {
        try (ScriptedContainerboot boot =
                new ScriptedContainerboot(root, Map.of("TS_EXTRA_ARGS", "--ssh --advertise-exit-node"), RUNS)) {
            boot.mesh().start();
            boot.awaitCondition(() -> boot.lines().contains("arguments: --ssh --advertise-exit-node=false"));
            try (ScriptedTailscaled tailscaled = tailscaled()) {
                tailscaled.notify("{\"State\":6}");
                boot.awaitCondition(
                        () -> boot.mesh().describe().contains("advertises exit node once the tunnel is connected"));
                assertThat(tailscaled.requests()).noneMatch(it -> it.startsWith("PATCH"));

                boot.mesh().offerExit();
                boot.awaitCondition(() -> boot.mesh().describe().contains("advertises exit node, not approved yet"));
                assertThat(tailscaled.requests()).anyMatch(it -> it.startsWith("PATCH prefs {\"AdvertiseRoutes\""));
            }
        }
    }

    @Test
    void online_peers_are_pinged_as_soon_as_they_are_known() throws Exception {
        try (ScriptedContainerboot boot = new ScriptedContainerboot(root, Map.of(), RUNS)) {
            boot.mesh().start();
            boot.awaitCondition(() -> boot.starts() == 1);
            try (ScriptedTailscaled tailscaled = tailscaled()
                    .answer("GET status", "{\"Peer\":{\"k\":{\"Online\":true,\"TailscaleIPs\":[\"100.64.0.2\"]}}}")
                    .answer("POST ping", "{}")) {
                tailscaled.notify("{\"State\":5}");
                boot.awaitCondition(() -> tailscaled.requests().contains("POST ping"));
            }
        }
    }

    @Test
    void with_headscale_an_unreported_approval_causes_no_warning() throws Exception {
        try (ScriptedContainerboot boot = new ScriptedContainerboot(root, server(), RUNS)) {
            boot.mesh().start();
            boot.awaitCondition(() -> boot.starts() == 1);
            try (ScriptedTailscaled tailscaled = tailscaled()) {
                tailscaled.notify("{\"State\":6}");
                boot.mesh().offerExit();
                boot.awaitCondition(() -> boot.mesh().describe().endsWith(", advertises exit node"));
                assertThat(boot.log())
                        .doesNotHaveDuplicates()
                        .last()
                        .isEqualTo(boot.mesh().describe());
                assertThat(boot.mesh().tailnet().suffix()).contains("tail.test");
            }
        }
    }

    @Test
    void disabled_kernel_forwarding_is_reported() throws Exception {
        try (ScriptedContainerboot boot = new ScriptedContainerboot(root, server(), RUNS)) {
            boot.mesh().start();
            boot.awaitCondition(() -> boot.starts() == 1);
            try (ScriptedTailscaled tailscaled =
                    tailscaled().answer("GET check-ip-forwarding", "{\"Warning\":\"IP forwarding is disabled\"}")) {
                tailscaled.notify("{\"State\":6}");
                boot.awaitCondition(() -> boot.reported().contains(KnownError.FORWARDING.problem()));
            }
        }
    }

    @Test
    void a_start_with_the_tunnel_up_advertises_the_exit_node_at_once() throws Exception {
        try (ScriptedContainerboot boot =
                new ScriptedContainerboot(root, Map.of(), "echo \"arguments: $TS_EXTRA_ARGS\"")) {
            boot.mesh().offerExit();
            boot.mesh().start();
            boot.awaitCondition(() -> boot.lines().contains("arguments: --advertise-exit-node=true"));
        }
    }

    @Test
    void a_disabled_exit_node_is_not_advertised() throws Exception {
        try (ScriptedContainerboot boot =
                new ScriptedContainerboot(root, Map.of("TS_EXTRA_ARGS", "--advertise-exit-node=false"), RUNS)) {
            boot.mesh().offerExit();
            boot.mesh().start();
            boot.awaitCondition(() -> boot.lines().contains("arguments: --advertise-exit-node=false"));
        }
    }

    @Test
    void an_unexpected_exit_is_followed_by_a_restart_whatever_its_status() throws Exception {
        try (ScriptedContainerboot boot = new ScriptedContainerboot(
                root, Map.of(), "echo 'boot: 2026/11/22 17:08:10 something new happened'; exit 0")) {
            boot.mesh().start();
            boot.awaitCondition(() -> boot.starts() == 3);

            assertThat(boot.reported())
                    .singleElement()
                    .asString()
                    .contains("containerboot exited: something new happened");
        }
    }

    @Test
    void leftovers_of_the_last_run_are_removed() throws Exception {
        Files.createFile(ScriptedContainerboot.socket(root));
        Path link = Files.createDirectories(root.resolve("var/run/tailscale")).resolve("tailscaled.sock");
        Files.createSymbolicLink(link, ScriptedContainerboot.socket(root));
        // An orphan in a session of its own, like tailscaled when containerboot is killed.
        String script = "setsid sh -c 'echo orphan $$ $CULVERT_CHILD; exec sleep 600'; exit 1";
        try (ScriptedContainerboot boot = new ScriptedContainerboot(
                root,
                Map.of(),
                "(" + script + ") & [ -e " + ScriptedContainerboot.socket(root) + " ] && echo stale; wait")) {
            boot.mesh().start();
            boot.awaitCondition(() -> boot.lines().stream().anyMatch(line -> line.startsWith("orphan")));
            assertThat(boot.lines()).doesNotContain("stale");
            assertThat(link).doesNotExist();
        }
        assertThat(tagged().stopAll(Duration.ofSeconds(1))).isZero();
    }

    @Test
    void flags_in_the_saved_state_are_reset_with_a_note() throws Exception {
        Path lost = Files.writeString(root.resolve("lost"), RecordedOutput.text("flags-lost.txt"));
        String script = "case \"$TS_EXTRA_ARGS\" in *--reset*) echo \"arguments: $TS_EXTRA_ARGS\";;" + " *) cat " + lost
                + "; exit 1;; esac";
        try (ScriptedContainerboot boot = new ScriptedContainerboot(root, server(), script)) {
            boot.mesh().start();
            boot.awaitCondition(() -> boot.lines().stream().anyMatch(line -> line.endsWith("--reset")));

            assertThat(boot.reported())
                    .anySatisfy(problem -> assertThat(problem.message()).endsWith("are reset: --shields-up"));
        }
    }

    @Test
    void a_key_in_an_error_message_is_redacted() throws Exception {
        String script = "echo \"tailscale up --auth-key=$TS_AUTHKEY\"";
        try (ScriptedContainerboot boot =
                new ScriptedContainerboot(root, Map.of("TS_AUTHKEY", "tskey-auth-secret"), script)) {
            boot.mesh().start();
            boot.awaitCondition(() -> !boot.lines().isEmpty());

            assertThat(boot.lines().getFirst()).isEqualTo("tailscale up --auth-key=(hidden)");
        }
    }

    @Test
    void a_pending_login_shows_the_latest_URL() throws Exception {
        try (ScriptedContainerboot boot = new ScriptedContainerboot(root, server(), RUNS)) {
            boot.mesh().start();
            boot.awaitCondition(() -> boot.starts() == 1);
            try (ScriptedTailscaled tailscaled = tailscaled()) {
                tailscaled.notify("{\"State\":2,\"BrowseToURL\":\"http://198.51.100.2:8080/register/one\"}");
                boot.awaitCondition(() ->
                        boot.mesh().describe().endsWith("waiting for login: http://198.51.100.2:8080/register/one"));
                tailscaled.notify("{\"BrowseToURL\":\"http://198.51.100.2:8080/register/two\"}");
                boot.awaitCondition(() -> boot.mesh().describe().endsWith("/register/two"));
                tailscaled.notify("{\"State\":6}");
                boot.awaitCondition(() -> !boot.mesh().describe().contains("login"));
            }
            assertThat(boot.reported()).hasSize(2);
        }
    }

    @Test
    void the_login_URL_is_read_from_the_output_too() throws Exception {
        Path login = Files.writeString(root.resolve("login"), RecordedOutput.text("login-needed.txt"));
        try (ScriptedContainerboot boot =
                new ScriptedContainerboot(root, server(), "head -90 " + login + "; sleep 600")) {
            boot.mesh().start();
            boot.awaitCondition(
                    () -> boot.mesh().describe().contains("waiting for login: http://198.51.100.2:8080/register/"));

            assertThat(boot.reported()).hasSize(1);
        }
    }

    @Test
    void a_used_key_is_reported_with_a_hint_and_stays_in_the_status() throws Exception {
        Path used = Files.writeString(root.resolve("used"), RecordedOutput.text("key-used.txt"));
        try (ScriptedContainerboot boot = new ScriptedContainerboot(root, server(), "cat " + used + "; exit 1")) {
            boot.mesh().start();
            boot.awaitCondition(() -> boot.starts() == 2);

            assertThat(boot.reported()).singleElement().satisfies(problem -> {
                assertThat(problem.message()).contains("already been used");
                assertThat(problem.hint()).contains("TS_AUTH_ONCE=true");
            });
            assertThat(boot.mesh().describe()).contains("already been used");
        }
    }

    @Test
    void with_TS_AUTH_ONCE_arguments_are_applied_over_the_LocalAPI() throws Exception {
        try (ScriptedContainerboot boot = new ScriptedContainerboot(
                root, Map.of("TS_AUTH_ONCE", "true", "TS_EXTRA_ARGS", "--shields-up"), RUNS)) {
            boot.mesh().start();
            boot.awaitCondition(() -> boot.starts() == 1);
            try (ScriptedTailscaled tailscaled = tailscaled()) {
                tailscaled.notify("{\"State\":6}");
                boot.awaitCondition(() -> !boot.reported().isEmpty());
                assertThat(tailscaled.requests()).contains("PATCH prefs {\"ShieldsUp\":true,\"ShieldsUpSet\":true}");
            }
            assertThat(boot.reported().getFirst().message()).endsWith("already logged in: --shields-up=true");
        }
    }

    @Test
    void a_stop_leaves_nothing_behind() throws Exception {
        ScriptedContainerboot boot = new ScriptedContainerboot(root, Map.of(), "setsid sleep 600 & exec sleep 600");
        boot.mesh().start();
        boot.awaitCondition(() -> boot.starts() == 1);
        boot.close();

        assertThat(tagged().stopAll(Duration.ofSeconds(1))).isZero();
    }

    private TaggedProcesses tagged() {
        return new TaggedProcesses("containerboot " + ScriptedContainerboot.socket(root));
    }

    private static Map<String, String> server() {
        return Map.of("TS_EXTRA_ARGS", "--login-server=http://198.51.100.2:8080");
    }

    private ScriptedTailscaled tailscaled() throws IOException {
        return new ScriptedTailscaled(ScriptedContainerboot.socket(root))
                .answer("GET prefs", "{\"AdvertiseRoutes\":null,\"ShieldsUp\":false}")
                .answer("PATCH prefs", "{}")
                .answer("GET check-ip-forwarding", "{\"Warning\":\"\"}")
                .answer("GET status", RecordedOutput.text("status.json"));
    }
}
