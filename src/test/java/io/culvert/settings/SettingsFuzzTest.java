// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.settings.MalformedValue.Fault;
import java.util.List;

/** Any text of a variable results in a value, or in faults that can be printed. */
class SettingsFuzzTest {

    @FuzzTest
    void any_text_is_parsed_or_reported_as_malformed(FuzzedDataProvider data) {
        Setting<?> setting = data.pickValue(Catalogue.all());
        String text = data.consumeRemainingAsString().strip();
        if (text.isEmpty()) {
            return;
        }
        try {
            Object value = setting.parser().parse(text);
            if (value instanceof List<?> list) {
                assertThat(list).isNotEmpty();
            }
        } catch (MalformedValue malformed) {
            assertThat(malformed.faults()).isNotEmpty();
            for (Fault fault : malformed.faults()) {
                assertThat(fault.message()).isNotBlank().matches("[^\\p{Cntrl}]+");
                assertThat(fault.hint()).isNotBlank();
            }
        }
    }

    @FuzzTest
    void the_string_form_of_a_bypass_parses_to_the_same_bypass(FuzzedDataProvider data) {
        BypassEntry read;
        try {
            read = BypassEntry.parse(data.consumeRemainingAsAsciiString());
        } catch (MalformedValue _) {
            return;
        }
        assertThat(BypassEntry.parse(read.toString())).isEqualTo(read);
    }
}
