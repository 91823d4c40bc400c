// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Family;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.Machines;
import io.culvert.rtnl.Uplink;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MtuTest {

    private static final OptionalInt NONE = OptionalInt.empty();

    @ParameterizedTest
    @CsvSource({
        // Ethernet, and an access line of 1492 whose ICMP is lost.
        "1500, 1420, 1420, 1420",
        "1492, 1420, 1412, 1412",
        "1400, 1340, 1320, 1320",
        // A tunnel in a tunnel: IPv6 does not fit.
        "1280, 1220, 1200, 1200",
        // Podman's, and jumbo frames.
        "65520, 1420, 1420, 1420",
        "9000, 1420, 1420, 1420",
        "600, 576, 576, 576"
    })
    void the_mtu_follows_the_path_and_is_at_most_1420(int uplink, int toIpv4, int unknown, int alone) {
        Machine machine = uplink(uplink);

        assertThat(Mtu.of(NONE, NONE, machine, Optional.of(Family.IPV4)).bytes())
                .isEqualTo(toIpv4);
        assertThat(Mtu.of(NONE, NONE, machine, Optional.empty()).bytes()).isEqualTo(unknown);
        assertThat(Mtu.of(NONE, machine).bytes()).isEqualTo(unknown);
        assertThat(Mtu.ofTunnelWithoutMesh(NONE, machine, List.of(uplink)).bytes())
                .isEqualTo(alone);
        assertThat(Mtu.ofTunnelWithoutMesh(NONE, machine, List.of()).bytes()).isEqualTo(alone);
    }

    @Test
    void the_setting_takes_precedence_over_the_file_and_the_file_over_the_path() {
        Machine machine = uplink(1500);

        assertThat(Mtu.of(OptionalInt.of(1380), OptionalInt.of(1200), machine, Optional.empty()))
                .isEqualTo(new Mtu(1380, "CULVERT_MTU"));
        assertThat(Mtu.of(NONE, OptionalInt.of(1200), machine, Optional.empty()).bytes())
                .isEqualTo(1200);
        assertThat(Mtu.of(OptionalInt.of(8920), machine).bytes()).isEqualTo(8920);
        assertThat(Mtu.ofTunnelWithoutMesh(OptionalInt.of(1280), machine, List.of(9000))
                        .bytes())
                .isEqualTo(1280);
    }

    @ParameterizedTest
    @CsvSource({"1500, 0", "1345, 0", "1339, 1", "1280, 1"})
    void before_the_servers_name_is_resolved_ipv6_warnings_are_given_only_if_certain(int uplink, int warnings) {
        String file = PlanExamples.file("10.64.0.2/32, fd00:64::2/128", "0.0.0.0/0, ::/0", "", "vpn.example:51820");

        assertThat(ExitNodePlanner.plan(PlanExamples.inputs(file, uplink(uplink)))
                        .remarks())
                .hasSize(warnings);
    }

    private static Machine uplink(int mtu) {
        return Machines.of(Map.of(Family.IPV4, new Uplink("eth0", Optional.empty(), List.of(), mtu)), it -> {
            it.links = Set.of();
            it.kernelWireGuard = false;
        });
    }
}
