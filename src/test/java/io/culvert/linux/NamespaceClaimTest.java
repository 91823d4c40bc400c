package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class NamespaceClaimTest {

    @Test
    void one_holder_in_each_network_namespace_until_it_lets_go() throws Exception {
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
