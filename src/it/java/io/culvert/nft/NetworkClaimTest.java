// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import io.culvert.linux.FreshNamespace;
import io.culvert.linux.NamespaceClaim;
import io.culvert.nft.Table.Family;
import java.util.Optional;
import org.junit.jupiter.api.Test;

@NamespaceTest
class NetworkClaimTest {

    @Test
    void there_is_one_holder_per_network_namespace_until_it_releases_the_lock() throws Exception {
        FreshNamespace.inside(() -> {
            try (NetworkClaim _ = NetworkClaim.take("test").orElseThrow()) {
                assertThat(NetworkClaim.take("test")).isEmpty();
                Optional<NetworkClaim> other = NetworkClaim.take("test2");
                assertThat(other).isPresent();
                other.get().close();
                FreshNamespace.inside(() -> {
                    try (NetworkClaim elsewhere = NetworkClaim.take("test").orElseThrow()) {
                        assertThat(elsewhere).isNotNull();
                    }
                });
            }
            try (NetworkClaim again = NetworkClaim.take("test").orElseThrow()) {
                assertThat(again).isNotNull();
            }
        });
    }

    @Test
    void an_abstract_socket_of_this_name_does_not_hold_the_lock() throws Exception {
        FreshNamespace.inside(() -> {
            try (NamespaceClaim _ = NamespaceClaim.take("test").orElseThrow();
                    NetworkClaim claim = NetworkClaim.take("test").orElseThrow()) {
                assertThat(claim).isNotNull();
            }
        });
    }

    @Test
    void flushing_the_ruleset_does_not_release_the_lock() throws Exception {
        FreshNamespace.inside(() -> {
            try (NetworkClaim _ = NetworkClaim.take("test").orElseThrow();
                    Nftables nftables = Nftables.open()) {
                FreshNamespace.sh("nft flush ruleset");
                assertThat(nftables.tables()).containsExactly(new Table.Id(Family.INET, "test"));
                assertThat(NetworkClaim.take("test")).isEmpty();
            }
        });
    }
}
