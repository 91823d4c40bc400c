// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import java.util.Optional;
import org.junit.jupiter.api.Test;

@NamespaceTest
class AbstractSocketLockTest {

    @Test
    void there_is_one_holder_per_network_namespace_until_it_releases_the_lock() throws Exception {
        FreshNamespace.inside(() -> {
            try (AbstractSocketLock _ = AbstractSocketLock.take("test").orElseThrow()) {
                assertThat(AbstractSocketLock.take("test")).isEmpty();
                Optional<AbstractSocketLock> other = AbstractSocketLock.take("test2");
                assertThat(other).isPresent();
                other.get().close();
                FreshNamespace.inside(() -> {
                    try (AbstractSocketLock elsewhere =
                            AbstractSocketLock.take("test").orElseThrow()) {
                        assertThat(elsewhere).isNotNull();
                    }
                });
            }
            try (AbstractSocketLock again = AbstractSocketLock.take("test").orElseThrow()) {
                assertThat(again).isNotNull();
            }
        });
    }
}
