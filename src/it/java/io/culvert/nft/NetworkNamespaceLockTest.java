// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import io.culvert.linux.AbstractSocketLock;
import io.culvert.linux.FreshNamespace;
import io.culvert.nft.Table.Family;
import java.util.Optional;
import org.junit.jupiter.api.Test;

@NamespaceTest
class NetworkNamespaceLockTest {

    @Test
    void there_is_one_holder_per_network_namespace_until_it_releases_the_lock() throws Exception {
        FreshNamespace.inside(() -> {
            try (NetworkNamespaceLock _ = NetworkNamespaceLock.take("test").orElseThrow()) {
                assertThat(NetworkNamespaceLock.take("test")).isEmpty();
                Optional<NetworkNamespaceLock> other = NetworkNamespaceLock.take("test2");
                assertThat(other).isPresent();
                other.get().close();
                FreshNamespace.inside(() -> {
                    try (NetworkNamespaceLock elsewhere =
                            NetworkNamespaceLock.take("test").orElseThrow()) {
                        assertThat(elsewhere).isNotNull();
                    }
                });
            }
            try (NetworkNamespaceLock again = NetworkNamespaceLock.take("test").orElseThrow()) {
                assertThat(again).isNotNull();
            }
        });
    }

    @Test
    void an_abstract_socket_of_this_name_does_not_hold_the_lock() throws Exception {
        FreshNamespace.inside(() -> {
            try (AbstractSocketLock _ = AbstractSocketLock.take("test").orElseThrow();
                    NetworkNamespaceLock lock =
                            NetworkNamespaceLock.take("test").orElseThrow()) {
                assertThat(lock).isNotNull();
            }
        });
    }

    @Test
    void flushing_the_ruleset_does_not_release_the_lock() throws Exception {
        FreshNamespace.inside(() -> {
            try (NetworkNamespaceLock _ = NetworkNamespaceLock.take("test").orElseThrow();
                    Nftables nftables = Nftables.open()) {
                FreshNamespace.sh("nft flush ruleset");
                assertThat(nftables.tables()).containsExactly(new Table.Id(Family.INET, "test"));
                assertThat(NetworkNamespaceLock.take("test")).isEmpty();
            }
        });
    }
}
