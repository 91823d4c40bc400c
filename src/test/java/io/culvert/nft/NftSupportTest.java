// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * Tests the errors that libnftables reported on kernels that lack a feature; the probe on a kernel that has all is in
 * {@link NftablesTest}.
 */
class NftSupportTest {

    @Test
    void the_hint_for_a_missing_capability_is_to_add_it() {
        Optional<Problem> problem = NftSupport.probe(
                _ -> Optional.of("netlink: Error: cache initialization failed: Operation not permitted\n"));

        assertThat(problem).hasValueSatisfying(p -> {
            assertThat(p.kind()).isEqualTo(Problem.Kind.MACHINE);
            assertThat(p.message()).contains("cache initialization failed: Operation not permitted");
            assertThat(p.hint()).contains(Hints.here().netAdmin());
        });
    }

    @Test
    void the_hint_for_a_missing_module_is_to_load_it() {
        Optional<Problem> problem = NftSupport.probe(_ -> Optional.of(
                "internal:0:0-0: Error: Could not process rule: Address family not supported by protocol\n\n\n"));

        assertThat(problem).hasValueSatisfying(p -> {
            assertThat(p.message()).endsWith("Could not process rule: Address family not supported by protocol");
            assertThat(p.hint()).contains(Hints.here().loadModule("nf_tables"));
        });
    }

    @Test
    void a_missing_kernel_module_is_named() {
        Optional<Problem> problem = NftSupport.probe(script -> script.contains("redirect")
                ? Optional.of("internal:0:0-0: Error: Could not process rule: No such file or directory\n")
                : Optional.empty());

        assertThat(problem)
                .hasValueSatisfying(p -> assertThat(p.message())
                        .endsWith(": nft_redir (Could not process rule: No such file or directory)"));
    }

    @Test
    void a_missing_library_is_reported_with_its_package() {
        assertThatThrownBy(() -> Nftables.open("libnftables-of-nobody.so.1"))
                .isInstanceOfSatisfying(ProblemException.class, e -> {
                    assertThat(e.exitStatus()).isEqualTo(3);
                    assertThat(e).hasMessageContaining("libnftables1");
                });
    }
}
