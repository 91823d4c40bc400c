// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Hints;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingConflictsTest {

    @TempDir
    private Path root;

    @Test
    void a_user_name_requires_a_password_and_vice_versa() {
        assertThat(settings()
                        .set("CULVERT_SOCKS", "true")
                        .set("CULVERT_SOCKS_USER", "anna")
                        .problems())
                .containsExactly("CULVERT_SOCKS_USER: set without a password"
                        + " | set CULVERT_SOCKS_PASSWORD_FILE to the path of a file that contains it");
        assertThat(settings()
                        .set("CULVERT_SOCKS", "true")
                        .set("CULVERT_SOCKS_PASSWORD", "x")
                        .problems())
                .containsExactly("CULVERT_SOCKS_PASSWORD: set without a user name | set CULVERT_SOCKS_USER too");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    0.0.0.0/1, 128.0.0.0/1
                    0.0.0.0/2, 64.0.0.0/2, 128.0.0.0/2, 192.0.0.0/2
                    2000::/4, 3000::/4
                    """)
    void networks_that_cover_most_of_the_internet_are_rejected(String networks) {
        for (String name : List.of("CULVERT_LAN_ALLOW", "CULVERT_BYPASS", "TS_ROUTES")) {
            assertThat(settings().set(name, networks.replace(" ", "")).problems())
                    .as(name)
                    .isNotEmpty()
                    .allMatch(problem -> problem.startsWith(name))
                    .allMatch(problem -> problem.contains("the tunnel"));
        }
    }

    @Test
    void a_wireguard_mesh_requires_its_file() {
        assertThat(settings().set("CULVERT_MESH", "wireguard").problems())
                .containsExactly("CULVERT_MESH: set to wireguard without a file of the mesh interface"
                        + " | set CULVERT_MESH_CONFIG to a wg-quick file, or to a network file with CULVERT_MESH_NODE");
    }

    @Test
    void the_mesh_file_has_no_effect_with_another_kind_of_mesh() {
        SettingsFixture settings = settings().file("/mesh.conf", "").set("CULVERT_MESH_CONFIG", "/mesh.conf");

        assertThat(settings.problems())
                .containsExactly("CULVERT_MESH_CONFIG: has no effect with CULVERT_MESH=tailscale"
                        + " | set CULVERT_MESH=wireguard, or unset CULVERT_MESH_CONFIG");
        assertThat(settings.set("CULVERT_MESH", "none").problems()).hasSize(1);
    }

    @Test
    void a_missing_mesh_file_is_not_reported_as_an_unset_setting() {
        assertThat(settings()
                        .set("CULVERT_MESH", "wireguard")
                        .set("CULVERT_MESH_CONFIG", "/mesh.conf")
                        .problems())
                .containsExactly("CULVERT_MESH_CONFIG: /mesh.conf does not exist" + " | "
                        + Hints.here().provideFile("the file", "this path") + ", or correct the path");
    }

    @Test
    void the_tunnels_file_cannot_be_the_mesh_file() {
        assertThat(settings()
                        .set("CULVERT_WIREGUARD_CONFIG", "/etc/wireguard/wg0.conf")
                        .set("CULVERT_MESH", "wireguard")
                        .set("CULVERT_MESH_CONFIG", "/etc/wireguard/wg0.conf")
                        .problems())
                .singleElement()
                .asString()
                .startsWith("CULVERT_MESH_CONFIG: /etc/wireguard/wg0.conf is the file of the tunnel itself");
        assertThat(settings()
                        .set("CULVERT_MESH", "wireguard")
                        .set("CULVERT_MESH_CONFIG", "/etc/wireguard/wg0.conf")
                        .problems())
                .singleElement()
                .asString()
                .contains("/etc/wireguard contains no *.conf file other than that of the mesh");
    }

    @Test
    void a_misspelt_mesh_kind_causes_no_further_problems() {
        assertThat(settings()
                        .file("/mesh.conf", "")
                        .set("CULVERT_MESH", "wirguard")
                        .set("CULVERT_MESH_CONFIG", "/mesh.conf")
                        .problems())
                .hasSize(1);
    }

    @Test
    void settings_of_a_disabled_proxy_are_reported() {
        assertThat(settings()
                        .set("TSWG_SOCKD_PORT", "1081")
                        .set("TSWG_SOCKD_ENABLED", "false")
                        .problems())
                .containsExactly("TSWG_SOCKD_PORT: warning: has no effect while TSWG_SOCKD_ENABLED is not true"
                        + " | remove it, or change TSWG_SOCKD_ENABLED");
    }

    @Test
    void a_proxy_configuration_file_replaces_the_other_settings() {
        assertThat(settings()
                        .file("/own.conf", "")
                        .set("CULVERT_SOCKS", "true")
                        .set("TSWG_SOCKD_FILE", "/own.conf")
                        .set("CULVERT_SOCKS_PORT", "1081")
                        .problems())
                .containsExactly("CULVERT_SOCKS_PORT: note: has no effect, because TSWG_SOCKD_FILE is set");
    }

    @Test
    void the_proxy_configuration_file_must_exist() {
        assertThat(settings()
                        .set("CULVERT_SOCKS", "true")
                        .set("TSWG_SOCKD_FILE", "/own.conf")
                        .problems())
                .containsExactly("TSWG_SOCKD_FILE: /own.conf does not exist" + " | "
                        + Hints.here().provideFile("the file", "this path") + ", or correct the path");
    }

    @Test
    void a_proxy_open_to_all_clients_causes_a_warning() {
        SettingsFixture settings = settings().set("CULVERT_SOCKS", "true").set("CULVERT_SOCKS_ALLOW", "0.0.0.0/0");

        assertThat(settings.problems())
                .singleElement()
                .asString()
                .contains("warning: any client that reaches the port can use the proxy");
        assertThat(settings.set("CULVERT_SOCKS_USER", "anna")
                        .set("CULVERT_SOCKS_PASSWORD", "x")
                        .problems())
                .isEmpty();
    }

    @Test
    void the_former_start_delay_of_the_proxy_is_ignored_with_a_note() {
        assertThat(settings().set("TSWG_SOCKD_TIMEIN", "3").problems())
                .singleElement()
                .asString()
                .startsWith("TSWG_SOCKD_TIMEIN: note: ignored, because the proxy starts without a delay");
    }

    @Test
    void a_port_published_twice_and_the_proxys_port_cause_a_note() {
        SettingsFixture settings =
                settings().set("CULVERT_SOCKS", "true").set("CULVERT_PUBLISH", "8080 1080 8080/tcp 8080/udp");

        assertThat(settings.problems())
                .containsExactly(
                        "CULVERT_PUBLISH: note: contains 8080/tcp twice",
                        "CULVERT_PUBLISH: note: contains 1080/tcp, the port of the proxy, which is opened automatically");
        assertThat(settings.settings().published()).hasSize(3);
    }

    @Test
    void a_memory_limit_has_no_effect_on_kernel_wireguard() {
        assertThat(settings()
                        .set("CULVERT_WIREGUARD_IMPLEMENTATION", "kernel")
                        .set("CULVERT_WIREGUARD_MEMORY", "64MiB")
                        .problems())
                .singleElement()
                .asString()
                .startsWith("CULVERT_WIREGUARD_MEMORY: warning: has no effect");
    }

    private SettingsFixture settings() {
        return new SettingsFixture(root);
    }
}
