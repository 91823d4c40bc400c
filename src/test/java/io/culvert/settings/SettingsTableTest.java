// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.TextFile;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SettingsTableTest {

    @Test
    void the_readme_contains_the_catalogue() {
        TextFile.assertRegion(Path.of("docs/settings.md"), "settings", SettingsTable.markdown());
    }

    @Test
    void the_readme_contains_the_defaults_for_tailscale() {
        TextFile.assertRegion(Path.of("docs/settings.md"), "tailscale", SettingsTable.tailscale());
    }
}
