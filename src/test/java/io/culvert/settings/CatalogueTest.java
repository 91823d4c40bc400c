// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CatalogueTest {

    static List<Setting<?>> settings() {
        return Catalogue.all();
    }

    @ParameterizedTest
    @MethodSource("settings")
    void every_default_is_a_valid_value(Setting<?> setting) {
        setting.defaultText()
                .ifPresent(text -> assertThat(setting.parser().parse(text)).isNotNull());
    }

    @ParameterizedTest
    @MethodSource("settings")
    void every_description_fits_a_table_cell(Setting<?> setting) {
        assertThat(setting.description()).isNotBlank().doesNotContain("|", "\n");
        assertThat(setting.defaultDescription()).doesNotContain("|", "\n");
    }

    @Test
    void names_are_unique() {
        List<String> names =
                settings().stream().flatMap(setting -> setting.names().stream()).toList();

        assertThat(names).doesNotHaveDuplicates();
        // Such as TSWG_SOCKD_FILE, which is a setting and not the file of a setting TSWG_SOCKD.
        assertThat(names).noneMatch(name -> names.contains(Setting.fileVariable(name)));
    }
}
