// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.settings.Catalogue;
import io.culvert.settings.Setting;
import org.junit.jupiter.api.Test;

class SettingsHelpTest {

    @Test
    void every_name_of_every_setting_is_listed() {
        String help = String.join("\n", SettingsHelp.lines(80));

        for (Setting<?> setting : Catalogue.all()) {
            assertThat(help).contains(setting.names());
        }
        assertThat(help)
                .contains(
                        "  CULVERT_SOCKS_PORT, TSWG_SOCKD_PORT\n      TCP port of the SOCKS5 proxy (default: 1080)\n");
    }

    @Test
    void no_line_is_wider_than_the_terminal() {
        assertThat(SettingsHelp.lines(80)).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
    }
}
