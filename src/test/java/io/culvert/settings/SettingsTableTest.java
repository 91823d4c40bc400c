package io.culvert.settings;

import io.culvert.TextFile;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class SettingsTableTest {

    @Test
    void the_readme_shows_the_catalogue() {
        TextFile.mustHold(Path.of("docs/settings.md"), "settings", SettingsTable.markdown());
    }

    @Test
    void the_readme_shows_what_tailscale_is_told() {
        TextFile.mustHold(Path.of("docs/settings.md"), "tailscale", SettingsTable.tailscale());
    }
}
