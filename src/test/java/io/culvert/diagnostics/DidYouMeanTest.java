// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DidYouMeanTest {

    private static final List<String> KNOWN = List.of("Address", "AllowedIPs", "Endpoint", "DNS", "MTU");

    @ParameterizedTest
    @CsvSource({
        "Adress, Address",
        "ALLOWEDIP, AllowedIPs",
        "Endpiont, Endpoint",
        "DNSS, DNS",
        "dn, DNS",
        "MUT, MTU",
        "End, Endpoint",
        "AddressOfMine, Address"
    })
    void a_typing_mistake_gets_a_suggestion(String typed, String suggestion) {
        assertThat(DidYouMean.nearest(typed, KNOWN)).contains(suggestion);
    }

    @ParameterizedTest
    @CsvSource({"Flavour", "x", "''", "Port"})
    void a_different_word_gets_no_suggestion(String typed) {
        assertThat(DidYouMean.nearest(typed, KNOWN)).isEmpty();
    }

    @Test
    void a_very_long_word_is_compared_quickly() {
        assertThat(DidYouMean.nearest("A".repeat(1 << 20), KNOWN)).isEmpty();
    }
}
