// SPDX-License-Identifier: Apache-2.0
package io.culvert.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The images without all of Tailscale reject settings that need what they lack before they start anything. */
@RequiresPodman
class FlavourTest {

    private static final String MINIMAL = CulvertContainer.IMAGE + "-minimal";
    private static final String WIREGUARD = CulvertContainer.IMAGE + "-wireguard";

    @BeforeAll
    static void assume_that_the_images_exist() {
        for (String image : List.of(MINIMAL, WIREGUARD)) {
            Assumptions.assumeTrue(
                    Podman.attempt("image", "exists", image).status() == 0,
                    "there is no image " + image
                            + ": run 'make image TAILSCALE=minimal' and 'make image TAILSCALE=none'");
        }
    }

    private static final Map<String, String> UNSUPPORTED = Map.of(
            "TS_SOCKS5_SERVER",
            ":1055",
            "TS_SERVE_CONFIG",
            "/etc/serve.json",
            "TS_EXTRA_ARGS",
            "--ssh --accept-routes",
            "TS_DEBUG_FIREWALL_MODE",
            "iptables",
            "TS_TAILSCALED_EXTRA_ARGS",
            "--state=kube:culvert");

    private static Path providersFile = Path.of("");

    @BeforeAll
    static void write_the_providers_file() throws IOException {
        providersFile = Files.createTempFile("culvert", ".conf");
        Files.writeString(providersFile, ContainerConfinementTest.PROVIDER);
        Files.setPosixFilePermissions(providersFile, PosixFilePermissions.fromString("rw-r--r--"));
    }

    @AfterAll
    static void delete() throws IOException {
        Files.delete(providersFile);
    }

    private static CommandResult run(String image, List<String> options, String... command) {
        List<String> all = new ArrayList<>(
                List.of("run", "--rm", "--network", "none", "--cap-add", "NET_ADMIN", "--device", "/dev/net/tun"));
        all.addAll(options);
        all.add(image);
        all.addAll(List.of(command));
        return Podman.attempt(all.toArray(String[]::new));
    }

    private static CommandResult program(String image, String name, String... arguments) {
        return run(image, List.of("--entrypoint", "/usr/local/bin/" + name), arguments);
    }

    private static CommandResult check(String image, Map<String, String> settings) {
        List<String> options = new ArrayList<>(List.of("--volume", providersFile + ":/etc/wireguard/wg0.conf:ro"));
        settings.forEach((variable, text) -> options.addAll(List.of("--env", variable + "=" + text)));
        return run(image, options, "check");
    }

    @Test
    void the_minimal_image_refuses_unsupported_settings_and_suggests_the_full_image() {
        String refusal = check(MINIMAL, UNSUPPORTED).out();
        assertThat(UNSUPPORTED.keySet())
                .allSatisfy(variable -> assertThat(refusal)
                        .containsPattern(
                                variable + ": (.* )?needs a feature that the minimal image does not include: .*\n"
                                        + ".*use the full image \\(a tag without '-minimal'\\)"));
        assertThat(check(CulvertContainer.IMAGE, UNSUPPORTED).out()).doesNotContain("minimal");
    }

    @Test
    void the_wireguard_image_refuses_tailscale_and_suggests_the_other_images() {
        for (Map<String, String> settings :
                List.of(Map.of("CULVERT_MESH", "tailscale"), Map.of("TS_AUTHKEY", "tskey-auth-1"))) {
            assertThat(check(WIREGUARD, settings))
                    .returns(2, CommandResult::status)
                    .extracting(CommandResult::out)
                    .asString()
                    .containsPattern("CULVERT_MESH: is tailscale, its default, but the wireguard image does not include"
                            + " Tailscale\n.*use the full or the minimal image \\(a tag without '-wireguard'\\)");
        }
        assertThat(check(WIREGUARD, Map.of("CULVERT_MESH", "none")).out()).doesNotContain("image");
    }

    @Test
    void only_the_programs_of_the_minimal_image_lack_these_features() {
        for (String flag : Set.of("--socks5-server=:1055", "--encrypt-state")) {
            assertThat(program(MINIMAL, "tailscaled", flag, "--version").err())
                    .as(flag)
                    .contains("flag provided but not defined");
            assertThat(program(CulvertContainer.IMAGE, "tailscaled", flag, "--version")
                            .status())
                    .as(flag)
                    .isZero();
        }
        String minimal = program(MINIMAL, "tailscale", "--help").err();
        String full = program(CulvertContainer.IMAGE, "tailscale", "--help").err();
        for (String command : Set.of("serve", "file", "web")) {
            assertThat(minimal).doesNotContainPattern("(?m)^  " + command + " ");
            assertThat(full).containsPattern("(?m)^  " + command + " ");
        }
    }

    @Test
    void the_wireguard_image_has_no_program_of_tailscale() {
        for (String name : List.of("containerboot", "tailscaled", "tailscale")) {
            assertThat(program(WIREGUARD, name, "--version").status()).as(name).isNotZero();
        }
        assertThat(program(WIREGUARD, "wireguard-go", "--version").outputOrFail())
                .isEqualTo(program(CulvertContainer.IMAGE, "wireguard-go", "--version")
                        .outputOrFail());
    }

    @Test
    void both_flavours_have_the_same_version() {
        assertThat(program(MINIMAL, "tailscale", "version")
                        .outputOrFail()
                        .lines()
                        .findFirst())
                .isEqualTo(program(CulvertContainer.IMAGE, "tailscale", "version")
                        .outputOrFail()
                        .lines()
                        .findFirst());
    }
}
