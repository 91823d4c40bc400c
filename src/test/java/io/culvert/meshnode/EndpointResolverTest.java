// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Endpoint;
import io.culvert.net.Host;
import io.culvert.networkfile.MeshLink;
import io.culvert.networkfile.NodeInterface;
import io.culvert.wireguard.config.PublicKey;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class EndpointResolverTest {

    private static final Host.Name NAME = new Host.Name("localhost");

    @Test
    void a_name_is_resolved_by_the_machine_at_once() {
        try (EndpointResolver resolver = new EndpointResolver(() -> {})) {
            assertThat(resolver.resolve(interfaces(link(OptionalInt.empty(), OptionalInt.empty()))))
                    .isEmpty();
            assertThat(resolver.names().of(NAME)).isNotEmpty().allMatch(InetAddress::isLoopbackAddress);
        }
    }

    @Test
    void the_network_file_says_how_often_a_name_is_resolved_again() {
        try (EndpointResolver resolver = new EndpointResolver(() -> {})) {
            resolver.resolve(interfaces(
                    link(OptionalInt.of(600), OptionalInt.of(70)), link(OptionalInt.of(200), OptionalInt.of(90))));

            assertThat(resolver.afterSuccess(NAME, Duration.ZERO)).contains(Duration.ofSeconds(200));
            assertThat(resolver.afterFailure(NAME, 1)).contains(Duration.ofSeconds(70));
        }
    }

    @Test
    void by_default_only_a_name_that_did_not_resolve_is_resolved_again() {
        try (EndpointResolver resolver = new EndpointResolver(() -> {})) {
            resolver.resolve(interfaces(link(OptionalInt.empty(), OptionalInt.empty())));

            assertThat(resolver.afterSuccess(NAME, Duration.ZERO)).isEmpty();
            assertThat(resolver.afterFailure(NAME, 1)).contains(Duration.ofSeconds(1));
            assertThat(resolver.afterFailure(NAME, 9)).contains(Duration.ofSeconds(30));
        }
    }

    private static List<NodeInterface> interfaces(MeshLink... links) {
        return List.of(
                new NodeInterface("home", "wg0", List.of(), OptionalInt.empty(), Optional.empty(), List.of(links)));
    }

    private static MeshLink link(OptionalInt refreshSeconds, OptionalInt refreshRestartSeconds) {
        return MeshLink.of("peer", new PublicKey(new byte[32]), it -> {
            it.candidates = List.of(new Endpoint(NAME, 51820));
            it.refreshSeconds = refreshSeconds;
            it.refreshRestartSeconds = refreshRestartSeconds;
        });
    }
}
