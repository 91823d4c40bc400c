package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.settings.Malformed.Fault;
import java.util.List;

/** Any text of a variable results in a value, or in faults that can be printed. */
class SettingsFuzzTest {

    @FuzzTest
    void any_text_is_a_value_or_a_fault(FuzzedDataProvider data) {
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
        } catch (Malformed malformed) {
            assertThat(malformed.faults()).isNotEmpty();
            for (Fault fault : malformed.faults()) {
                assertThat(fault.what()).isNotBlank().matches("[^\\p{Cntrl}]+");
                assertThat(fault.cure()).isNotBlank();
            }
        }
    }

    @FuzzTest
    void what_a_holepunch_says_of_itself_reads_back_the_same(FuzzedDataProvider data) {
        Holepunch read;
        try {
            read = Holepunch.parse(data.consumeRemainingAsAsciiString());
        } catch (Malformed _) {
            return;
        }
        assertThat(Holepunch.parse(read.toString())).isEqualTo(read);
    }
}
