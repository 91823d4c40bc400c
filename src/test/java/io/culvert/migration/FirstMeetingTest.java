package io.culvert.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.MeshLab;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Two machines without a session, where a probe depends on handshake initiations, which are sent every five seconds.
 */
@Tag("lab")
@DisplayNameGeneration(ReplaceUnderscores.class)
class FirstMeetingTest {

    @Test
    void who_is_not_where_he_is_sought_first_is_found_where_he_is_sought_next() throws Exception {
        try (TwoMachines two = TwoMachines.strangers()) {
            InetSocketAddress home =
                    new InetSocketAddress(MeshLab.public4(two.b().number()), TwoMachines.PORT);

            two.a().migrate(two.b(), List.of(TwoMachines.nowhere(), home));

            two.a().awaitNews("endpoint changed to " + MeshLab.public4(two.b().number()));
            assertThat(two.a().endpoint()).isEqualTo(home);
        }
    }
}
