// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Errno;
import io.culvert.netlink.NetlinkSocket.Outcome;
import io.culvert.nft.RulesetTransaction.Refusal;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Tests the errors of kernels that lack a feature; the probe on a kernel that has all is in {@link NftablesTest}. */
class NftSupportTest {

    private static Refusal refusal(int errno) {
        return new Refusal("the table inet culvert_probe_bare", new Outcome(errno, "", -1));
    }

    @Test
    void the_hint_for_a_missing_capability_is_to_add_it() {
        Optional<Problem> problem = NftSupport.probe(_ -> Optional.of(refusal(Errno.EPERM)));

        assertThat(problem).hasValueSatisfying(p -> {
            assertThat(p.kind()).isEqualTo(Problem.Kind.MACHINE);
            assertThat(p.message()).contains("cannot be changed: operation not permitted");
            assertThat(p.hint()).contains(Hints.here().netAdmin());
        });
    }

    @Test
    void the_hint_for_a_missing_module_is_to_load_it() {
        Optional<Problem> problem = NftSupport.probe(_ -> Optional.of(refusal(Errno.EAFNOSUPPORT)));

        assertThat(problem).hasValueSatisfying(p -> {
            assertThat(p.message()).contains("this kernel has no nf_tables: address family not supported");
            assertThat(p.hint()).contains(Hints.here().loadModule("nf_tables"));
        });
    }

    @Test
    void a_missing_kernel_module_is_named() {
        Optional<Problem> problem = NftSupport.probe(tables ->
                tables.toString().contains("Redirect") ? Optional.of(refusal(Errno.ENOENT)) : Optional.empty());

        assertThat(problem)
                .hasValueSatisfying(p -> assertThat(p.message()).endsWith(": nft_redir (no such object (errno 2))"));
    }

    @Test
    void a_missing_library_is_reported_with_its_package() {
        assertThatThrownBy(() -> LibNftables.run("libnftables-of-nobody.so.1", "list tables"))
                .isInstanceOfSatisfying(ProblemException.class, e -> {
                    assertThat(e.exitStatus()).isEqualTo(3);
                    assertThat(e).hasMessageContaining("libnftables1");
                });
    }
}
