// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.rtnl.PolicyRule.Selector;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Checks the syntax; that the real {@code ip} creates the same state from it is tested in {@link NetworkConfiguratorTest}. */
class IpSyntaxTest {

    @Test
    void a_state_is_formatted_as_commands_in_the_order_of_application() {
        NetworkState state = new NetworkState(
                List.of(new LinkSpec("wg0", 1420, Ownership.ALIAS)),
                List.of(DesiredStates.address("10.64.0.2/32"), DesiredStates.address("fd00:64::2/128")),
                List.of(
                        DesiredStates.route("0.0.0.0/0"),
                        DesiredStates.via("198.51.100.7/32", "10.64.0.1"),
                        Route.unreachable(Prefix.parse("2001:db8::/32"), Route.MAIN)),
                List.of(
                        DesiredStates.lookup(Family.IPV4, 5310, Selector.ANY.inputLink("tailscale0"), 51820),
                        DesiredStates.unreachable(Family.IPV4, 5311, Selector.ANY.inputLink("tailscale0"))));
        assertThat(IpSyntax.commands(state))
                .containsExactly(
                        "ip -4 rule add pref 5311 iif tailscale0 unreachable protocol 67",
                        "ip link set dev wg0 mtu 1420 alias culvert up",
                        "ip -4 address add 10.64.0.2/32 dev wg0",
                        "ip -6 address add fd00:64::2/128 dev wg0 nodad",
                        "ip -4 route add default dev wg0 table 51820 protocol 67",
                        "ip -4 route add 198.51.100.7 via 10.64.0.1 dev wg0 onlink table 51820 protocol 67",
                        "ip -6 route add unreachable 2001:db8::/32 table main protocol 67",
                        "ip -4 rule add pref 5310 iif tailscale0 lookup 51820 protocol 67");
    }
}
