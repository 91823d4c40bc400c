// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.MeshLab;
import io.culvert.lab.NamespaceTest;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Two machines without a session, where a probe depends on handshake initiations, which are sent every five seconds.
 */
@NamespaceTest
class FirstSessionTest {

    @Test
    void a_peer_that_does_not_respond_at_the_first_candidate_is_found_at_the_second() throws Exception {
        try (TwoMachines two = TwoMachines.withoutSession()) {
            InetSocketAddress secondCandidate =
                    new InetSocketAddress(MeshLab.public4(two.b().number()), TwoMachines.PORT);

            two.a().startSelection(two.b(), List.of(TwoMachines.unusedEndpoint(), secondCandidate));

            two.a().awaitLog("endpoint changed to " + MeshLab.public4(two.b().number()));
            assertThat(two.a().endpoint()).isEqualTo(secondCandidate);
        }
    }
}
