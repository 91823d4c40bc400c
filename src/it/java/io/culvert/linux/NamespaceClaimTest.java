// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import java.util.Optional;
import org.junit.jupiter.api.Test;

@NamespaceTest
class NamespaceClaimTest {

    @Test
    void there_is_one_holder_per_network_namespace_until_it_releases_the_lock() throws Exception {
        FreshNamespace.inside(() -> {
            try (NamespaceClaim _ = NamespaceClaim.take("test").orElseThrow()) {
                assertThat(NamespaceClaim.take("test")).isEmpty();
                Optional<NamespaceClaim> other = NamespaceClaim.take("test2");
                assertThat(other).isPresent();
                other.get().close();
                FreshNamespace.inside(() -> {
                    try (NamespaceClaim elsewhere = NamespaceClaim.take("test").orElseThrow()) {
                        assertThat(elsewhere).isNotNull();
                    }
                });
            }
            try (NamespaceClaim again = NamespaceClaim.take("test").orElseThrow()) {
                assertThat(again).isNotNull();
            }
        });
    }
}
