// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problem.Kind;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressConflictsTest {

    private static List<Problem> dns(String servers, String... settings) {
        return AddressConflicts.ofServer(
                Location.file(Path.of("wg0.conf")),
                PlanExamples.config(PlanExamples.file(
                        "10.64.0.2/24, fd00:64::2/128", "0.0.0.0/0, ::/0", "DNS = " + servers, "192.0.2.10:51820")),
                PlanExamples.settings(settings),
                PlanExamples.DUAL_STACK);
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.64.0.2", "fd00:64::2", "127.0.0.1", "127.0.0.53", "::1", "0.0.0.0", "::"})
    void a_dns_server_with_an_address_of_this_node_is_a_warning(String server) {
        assertThat(dns("10.64.0.1, " + server)).singleElement().satisfies(problem -> {
            assertThat(problem.kind()).isEqualTo(Kind.WARNING);
            assertThat(problem.message())
                    .isEqualTo(
                            "the DNS server " + server
                                    + " is an address of this node itself, which is never queried: no names are resolved by it");
        });
    }

    @Test
    void dns_servers_from_the_settings_replace_the_files_and_are_named_by_setting() {
        assertThat(dns("10.64.0.2", "CULVERT_DNS", "fd00:64::2"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.location()).isEqualTo(Location.setting("CULVERT_DNS")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:51820", "[::1]:51820"})
    void an_endpoint_with_an_address_of_this_machine_is_a_warning(String endpoint) {
        assertThat(AddressConflicts.ofServer(
                        Location.file(Path.of("wg0.conf")),
                        PlanExamples.config(PlanExamples.file("10.64.0.2/32", "0.0.0.0/0", "", endpoint)),
                        PlanExamples.settings(),
                        PlanExamples.DUAL_STACK))
                .singleElement()
                .satisfies(problem -> {
                    assertThat(problem.kind()).isEqualTo(Kind.WARNING);
                    assertThat(problem.message())
                            .startsWith("Endpoint " + endpoint + " is an address of this machine: ");
                });
    }

    @Test
    void a_dns_server_in_the_tunnels_network_is_accepted() {
        assertThat(dns("10.64.0.1")).isEmpty();
    }
}
