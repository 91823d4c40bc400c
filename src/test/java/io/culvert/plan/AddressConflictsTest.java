package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problem.Kind;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class AddressConflictsTest {

    private static List<Problem> dns(String servers, String... settings) {
        return AddressConflicts.ofServer(
                Place.file(Path.of("wg0.conf")),
                PlanExamples.config(PlanExamples.file(
                        "10.64.0.2/24, fd00:64::2/128", "0.0.0.0/0, ::/0", "DNS = " + servers, "192.0.2.10:51820")),
                PlanExamples.settings(settings),
                PlanExamples.DUAL_STACK);
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.64.0.2", "fd00:64::2", "127.0.0.1", "127.0.0.53", "::1", "0.0.0.0", "::"})
    void a_dns_server_that_is_this_node_itself_is_named(String server) {
        assertThat(dns("10.64.0.1, " + server)).singleElement().satisfies(problem -> {
            assertThat(problem.kind()).isEqualTo(Kind.WARNING);
            assertThat(problem.what())
                    .isEqualTo(
                            "the DNS server " + server
                                    + " is an address of this node itself, which is never queried: no names are resolved by it");
        });
    }

    @Test
    void one_in_a_setting_is_named_there_and_the_files_is_not_used() {
        assertThat(dns("10.64.0.2", "CULVERT_DNS", "fd00:64::2"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.place()).isEqualTo(Place.setting("CULVERT_DNS")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:51820", "[::1]:51820"})
    void an_endpoint_that_is_this_machine_itself_is_named(String endpoint) {
        assertThat(AddressConflicts.ofServer(
                        Place.file(Path.of("wg0.conf")),
                        PlanExamples.config(PlanExamples.file("10.64.0.2/32", "0.0.0.0/0", "", endpoint)),
                        PlanExamples.settings(),
                        PlanExamples.DUAL_STACK))
                .singleElement()
                .satisfies(problem -> {
                    assertThat(problem.kind()).isEqualTo(Kind.WARNING);
                    assertThat(problem.what()).startsWith("Endpoint " + endpoint + " is an address of this machine: ");
                });
    }

    @Test
    void one_beside_the_node_in_the_tunnel_is_fine() {
        assertThat(dns("10.64.0.1")).isEmpty();
    }
}
