package io.culvert.mesh.tailscale;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayNameGeneration(ReplaceUnderscores.class)
class RememberedTest {

    @TempDir
    Path root;

    @Test
    void switches_are_set_and_what_needs_a_login_is_told() {
        Remembered remembered = remembered(
                "--shields-up --snat-subnet-routes=false --accept-routes=false --advertise-tags=tag:a"
                        + " --login-server=http://198.51.100.9",
                "{\"ShieldsUp\": false, \"NoSNAT\": false, \"RouteAll\": false, \"AdvertiseTags\": null,"
                        + " \"ControlURL\": \"http://198.51.100.2\"}");

        assertThat(remembered.edited()).containsExactly("--shields-up=true", "--snat-subnet-routes=false");
        assertThat(remembered.edit())
                .contains(LocalApiTest.json(
                        "{\"ShieldsUp\":true,\"ShieldsUpSet\":true,\"NoSNAT\":true,\"NoSNATSet\":true}"));
        assertThat(remembered.kept()).containsExactly("--login-server", "--advertise-tags");
    }

    @Test
    void what_is_so_already_is_left_alone() {
        Remembered remembered = remembered(
                "--shields-up --advertise-tags=tag:a,tag:b",
                "{\"ShieldsUp\": true, \"AdvertiseTags\": [\"tag:b\", \"tag:a\"]}");

        assertThat(remembered.edit()).isEmpty();
        assertThat(remembered.kept()).isEmpty();
    }

    private Remembered remembered(String arguments, String preferences) {
        return Remembered.of(
                LocalApiTest.json(preferences),
                Boot.settings(root, Map.of("TS_EXTRA_ARGS", arguments)).upArguments());
    }
}
