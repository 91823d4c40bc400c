package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.network.Machine;
import io.culvert.network.Uplink;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class MtuTest {

    @Test
    void an_ipv4_endpoint_leaves_more_room() {
        assertThat(Mtu.of(uplink(1500), Optional.of(Family.IPV4))).isEqualTo(1440);
    }

    @Test
    void an_unresolved_endpoint_leaves_room_for_ipv6() {
        assertThat(Mtu.of(uplink(1500), Optional.empty())).isEqualTo(1420);
    }

    @Test
    void podmans_huge_uplink_counts_as_ethernet() {
        assertThat(Mtu.of(uplink(65520), Optional.of(Family.IPV4))).isEqualTo(1440);
    }

    @Test
    void a_narrow_uplink_never_takes_ipv6_away() {
        assertThat(Mtu.of(uplink(1300), Optional.of(Family.IPV4))).isEqualTo(1280);
    }

    private static Machine uplink(int mtu) {
        return new Machine(
                Map.of(Family.IPV4, new Uplink("eth0", Optional.empty(), List.of(), mtu)),
                List.of(),
                Set.of(),
                true,
                false,
                Set.of(),
                true,
                true,
                true,
                false);
    }
}
