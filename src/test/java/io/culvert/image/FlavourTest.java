package io.culvert.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Outcome;
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

/** The image with less of Tailscale in it: it refuses what it cannot do, before anything starts, and its programs agree. */
@ContainerTest
class FlavourTest {

    private static final String MINIMAL = CulvertContainer.IMAGE + "-minimal";

    @BeforeAll
    static void the_image_is_there() {
        Assumptions.assumeTrue(
                Podman.attempt("image", "exists", MINIMAL).status() == 0,
                "there is no image " + MINIMAL + ": run 'make image TAILSCALE=minimal'");
    }

    private static final Map<String, String> NEEDING_MORE = Map.of(
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
    static void podmans_user_may_read_the_providers_file() throws IOException {
        providersFile = Files.createTempFile("culvert", ".conf");
        Files.writeString(providersFile, ConfinementTest.PROVIDER);
        Files.setPosixFilePermissions(providersFile, PosixFilePermissions.fromString("rw-r--r--"));
    }

    @AfterAll
    static void delete() throws IOException {
        Files.delete(providersFile);
    }

    private static Outcome run(String image, List<String> options, String... command) {
        List<String> all = new ArrayList<>(
                List.of("run", "--rm", "--network", "none", "--cap-add", "NET_ADMIN", "--device", "/dev/net/tun"));
        all.addAll(options);
        all.add(image);
        all.addAll(List.of(command));
        return Podman.attempt(all.toArray(String[]::new));
    }

    private static Outcome program(String image, String name, String... arguments) {
        return run(image, List.of("--entrypoint", "/usr/local/bin/" + name), arguments);
    }

    private static String check(String image) {
        List<String> options = new ArrayList<>(List.of("--volume", providersFile + ":/etc/wireguard/wg0.conf:ro"));
        NEEDING_MORE.forEach((variable, text) -> options.addAll(List.of("--env", variable + "=" + text)));
        return run(image, options, "check").out();
    }

    @Test
    void minimal_refuses_at_once_all_that_it_lacks_and_names_the_setting_and_the_other_tag() {
        String refusal = check(MINIMAL);
        assertThat(NEEDING_MORE.keySet())
                .allSatisfy(variable -> assertThat(refusal)
                        .containsPattern(
                                variable + ": (.* )?needs a feature that the minimal image does not include: .*\n"
                                        + ".*use the full image \\(a tag without '-minimal'\\)"));
        assertThat(check(CulvertContainer.IMAGE)).doesNotContain("minimal");
    }

    @Test
    void its_programs_lack_what_they_are_said_to_lack_and_the_full_ones_do_not() {
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
    void both_are_of_the_same_version() {
        assertThat(program(MINIMAL, "tailscale", "version").orFail().lines().findFirst())
                .isEqualTo(program(CulvertContainer.IMAGE, "tailscale", "version")
                        .orFail()
                        .lines()
                        .findFirst());
    }
}
