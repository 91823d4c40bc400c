// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingNamesTest {

    @ParameterizedTest
    @CsvSource({
        "CULVERT_SOCKS_PROT, CULVERT_SOCKS_PORT",
        "CULVERT_SOCK_PORT, CULVERT_SOCKS_PORT",
        "CULVERT_HOLEPUNCH_ENDPOINTS, TSWG_HOLEPUNCH_ENDPOINTS",
        "CULVERT_HOLE_PUNCH, CULVERT_HOLEPUNCH",
        "CULVERT_WIREGUARD_CONF, CULVERT_WIREGUARD_CONFIG",
        "CULVERT_WIREGAURD_CONFIG, CULVERT_WIREGUARD_CONFIG",
        "CULVERT_WG_CONFIG, WG_CONFIG",
        "CULVERT_LAN_ALOW, CULVERT_LAN_ALLOW",
        "CULVERT_SOCKS_PASWORD_FILE, CULVERT_SOCKS_PASSWORD_FILE",
        "TSWG_SOCKD_ENABLE, TSWG_SOCKD_ENABLED",
        "TSWG_SOCKD, CULVERT_SOCKS",
        "TSWG_WG_CONF, TSWG_WGCONF",
        "TSWG_HOLEPUNCH, CULVERT_HOLEPUNCH",
    })
    void a_misspelt_name_is_reported_with_a_suggestion(String written, String suggestion) {
        assertThat(problems(written)).singleElement().satisfies(problem -> {
            assertThat(problem.location()).hasToString(written);
            assertThat(problem.hint()).isEqualTo("did you mean " + suggestion + "?");
        });
    }

    @Test
    void a_name_unlike_any_other_is_reported_without_a_suggestion() {
        assertThat(problems("CULVERT_QQQQ"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.hint()).contains("culvert up --help"));
    }

    @Test
    void known_names_and_those_of_other_programs_are_accepted() {
        assertThat(problems("CULVERT_MTU", "TSWG_SOCKD_FILE", "TSWG_SOCKD_TIMEIN", "PATH", "HOLEPUNCH", "culvert_x"))
                .isEmpty();
    }

    private static List<Problem> problems(String... names) {
        Problems problems = new Problems();
        SettingNames.check(List.of(names), problems);
        return problems.all();
    }
}
