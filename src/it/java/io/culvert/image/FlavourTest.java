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

/** The image with a minimal Tailscale rejects settings that need missing features before it starts anything. */
@RequiresPodman
class FlavourTest {

    private static final String MINIMAL = CulvertContainer.IMAGE + "-minimal";

    @BeforeAll
    static void assume_that_the_image_exists() {
        Assumptions.assumeTrue(
                Podman.attempt("image", "exists", MINIMAL).status() == 0,
                "there is no image " + MINIMAL + ": run 'make image TAILSCALE=minimal'");
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

    private static String check(String image) {
        List<String> options = new ArrayList<>(List.of("--volume", providersFile + ":/etc/wireguard/wg0.conf:ro"));
        UNSUPPORTED.forEach((variable, text) -> options.addAll(List.of("--env", variable + "=" + text)));
        return run(image, options, "check").out();
    }

    @Test
    void the_minimal_image_refuses_unsupported_settings_and_suggests_the_full_image() {
        String refusal = check(MINIMAL);
        assertThat(UNSUPPORTED.keySet())
                .allSatisfy(variable -> assertThat(refusal)
                        .containsPattern(
                                variable + ": (.* )?needs a feature that the minimal image does not include: .*\n"
                                        + ".*use the full image \\(a tag without '-minimal'\\)"));
        assertThat(check(CulvertContainer.IMAGE)).doesNotContain("minimal");
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
