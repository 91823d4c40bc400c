package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.problem.Hints;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import java.util.Optional;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

/**
 * Tests the errors that libnftables reported on kernels that lack a feature; the probe on a kernel that has all is in
 * {@link NftablesTest}.
 */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class NftSupportTest {

    @Test
    void without_the_capability_the_cure_is_to_give_it() {
        Optional<Problem> problem = NftSupport.probe(
                _ -> Optional.of("netlink: Error: cache initialization failed: Operation not permitted\n"));

        assertThat(problem).hasValueSatisfying(p -> {
            assertThat(p.kind()).isEqualTo(Problem.Kind.MACHINE);
            assertThat(p.what()).contains("cache initialization failed: Operation not permitted");
            assertThat(p.cure()).contains(Hints.here().netAdmin());
        });
    }

    @Test
    void without_the_module_the_cure_is_to_load_it() {
        Optional<Problem> problem = NftSupport.probe(_ -> Optional.of(
                "internal:0:0-0: Error: Could not process rule: Address family not supported by protocol\n\n\n"));

        assertThat(problem).hasValueSatisfying(p -> {
            assertThat(p.what()).endsWith("Could not process rule: Address family not supported by protocol");
            assertThat(p.cure()).contains(Hints.here().module("nf_tables"));
        });
    }

    @Test
    void a_part_that_is_missing_is_named() {
        Optional<Problem> problem = NftSupport.probe(script -> script.contains("redirect")
                ? Optional.of("internal:0:0-0: Error: Could not process rule: No such file or directory\n")
                : Optional.empty());

        assertThat(problem)
                .hasValueSatisfying(p -> assertThat(p.what())
                        .endsWith(": nft_redir (Could not process rule: No such file or directory)"));
    }

    @Test
    void a_library_that_is_not_installed_is_named_with_its_package() {
        assertThatThrownBy(() -> Nftables.open("libnftables-of-nobody.so.1"))
                .isInstanceOfSatisfying(ProblemException.class, e -> {
                    assertThat(e.exitStatus()).isEqualTo(3);
                    assertThat(e).hasMessageContaining("libnftables1");
                });
    }
}
