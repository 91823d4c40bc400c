package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.health.TunnelHealth.Verdict;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusReport.State;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class StatusOfTest {

    private static StatusReport report(boolean nftables) {
        Map<String, Boolean> guard = Map.of("nftables", nftables, "routing", true);
        return StatusOf.chain(
                "here",
                "none",
                Optional.empty(),
                guard,
                Map.of(),
                "none",
                Verdict.CONNECTED,
                Optional.of("it was refused"));
    }

    @Test
    void a_layer_of_the_guard_that_is_gone_is_the_worst_that_can_be_said() {
        assertThat(report(false).state()).isEqualTo(State.EXPOSED);
        assertThat(report(false).healthy()).isFalse();
        assertThat(report(false).problems()).containsExactly("it was refused");
    }

    @Test
    void without_a_tunnel_all_is_blocked_whatever_was_known_of_it_before() {
        assertThat(report(true).state()).isEqualTo(State.BLOCKED);
    }
}
