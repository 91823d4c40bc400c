// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SavedStateDifferenceTest {

    @TempDir
    Path root;

    @Test
    void switches_are_edited_and_flags_that_need_a_login_are_reported() {
        SavedStateDifference savedState = savedState(
                "--shields-up --snat-subnet-routes=false --accept-routes=false --advertise-tags=tag:a"
                        + " --login-server=http://198.51.100.9",
                "{\"ShieldsUp\": false, \"NoSNAT\": false, \"RouteAll\": false, \"AdvertiseTags\": null,"
                        + " \"ControlURL\": \"http://198.51.100.2\"}");

        assertThat(savedState.edited()).containsExactly("--shields-up=true", "--snat-subnet-routes=false");
        assertThat(savedState.edit())
                .contains(LocalApiTest.json(
                        "{\"ShieldsUp\":true,\"ShieldsUpSet\":true,\"NoSNAT\":true,\"NoSNATSet\":true}"));
        assertThat(savedState.needingLogin()).containsExactly("--login-server", "--advertise-tags");
    }

    @Test
    void matching_flags_are_left_unchanged() {
        SavedStateDifference savedState = savedState(
                "--shields-up --advertise-tags=tag:a,tag:b",
                "{\"ShieldsUp\": true, \"AdvertiseTags\": [\"tag:b\", \"tag:a\"]}");

        assertThat(savedState.edit()).isEmpty();
        assertThat(savedState.needingLogin()).isEmpty();
    }

    private SavedStateDifference savedState(String arguments, String preferences) {
        return SavedStateDifference.compare(
                LocalApiTest.json(preferences),
                ScriptedContainerboot.settings(root, Map.of("TS_EXTRA_ARGS", arguments))
                        .upArguments());
    }
}
