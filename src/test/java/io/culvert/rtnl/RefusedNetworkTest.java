// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Errno;
import io.culvert.net.Family;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.ScriptedNetlinkSocket;
import io.culvert.netlink.ScriptedNetlinkSocket.Reply;
import io.culvert.rtnl.PolicyRule.Selector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Tests failures that a real kernel cannot be made to produce. */
class RefusedNetworkTest {

    /** A kernel with nothing but rules. */
    private static final class FakeKernelWithRules implements Function<NetlinkMessage, Reply> {

        private final List<NetlinkMessage> rules = new ArrayList<>();
        private final Function<NetlinkMessage, Reply> outcome;

        FakeKernelWithRules(Function<NetlinkMessage, Reply> outcome) {
            this.outcome = outcome;
        }

        @Override
        public Reply apply(NetlinkMessage request) {
            if (request.type() == RtNetlink.RTM_GETRULE) {
                return Reply.done(rules.toArray(NetlinkMessage[]::new));
            }
            if (request.type() != RtNetlink.RTM_NEWRULE && request.type() != RtNetlink.RTM_DELRULE) {
                return Reply.done();
            }
            Reply reply = outcome.apply(request);
            if (reply.outcome().succeeded()) {
                if (request.type() == RtNetlink.RTM_NEWRULE) {
                    rules.add(new NetlinkMessage(RtNetlink.RTM_NEWRULE, 0, request.payload()));
                } else {
                    rules.removeIf(rule -> Arrays.equals(rule.payload(), request.payload()));
                }
            }
            return reply;
        }
    }

    private static NetworkState blocking(int... preferences) {
        return DesiredStates.rules(Arrays.stream(preferences)
                .mapToObj(
                        preference -> DesiredStates.unreachable(Family.IPV4, preference, Selector.ANY.inputLink("wg0")))
                .toList());
    }

    private static Function<NetlinkMessage, Reply> refuseNewRules(int errno) {
        return request -> request.type() == RtNetlink.RTM_NEWRULE ? Reply.refused(errno, "") : Reply.done();
    }

    @Test
    void a_missing_capability_is_reported_once_with_a_hint() {
        NetworkConfigurator network = new NetworkConfigurator(
                new ScriptedNetlinkSocket(new FakeKernelWithRules(refuseNewRules(Errno.EPERM))));
        assertThatThrownBy(() -> network.apply(blocking(1, 2, 3))).isInstanceOfSatisfying(ProblemException.class, e -> {
            assertThat(e.exitStatus()).isEqualTo(3);
            assertThat(e.problems()).containsExactly(Problem.missingNetAdmin());
        });
    }

    @Test
    void the_first_refusals_are_reported_and_the_others_counted() {
        NetworkConfigurator network = new NetworkConfigurator(
                new ScriptedNetlinkSocket(new FakeKernelWithRules(refuseNewRules(Errno.EINVAL))));
        assertThatThrownBy(() ->
                        network.apply(blocking(IntStream.rangeClosed(1, 500).toArray())))
                .isInstanceOfSatisfying(
                        ProblemException.class, e -> assertThat(e.problems()).hasSize(21))
                .hasMessageContaining("'ip -4 rule add pref 20 iif wg0 unreachable protocol 67'")
                .hasMessageContaining("480 more");
    }

    @Test
    void a_request_that_is_accepted_but_not_applied_is_detected_and_everything_reverted() {
        FakeKernelWithRules kernel = new FakeKernelWithRules(_ -> Reply.done());
        var socket = new ScriptedNetlinkSocket(request -> {
            Reply reply = kernel.apply(request);
            kernel.rules.removeIf(rule -> KernelRule.decode(rule).orElseThrow().preference() == 2);
            return reply;
        });
        assertThatThrownBy(() -> new NetworkConfigurator(socket).apply(blocking(1, 2, 3)))
                .hasMessage("kernel: accepted 'ip -4 rule add pref 2 iif wg0 unreachable protocol 67' but does not"
                        + " list it");
        assertThat(kernel.rules).isEmpty();
    }

    @Test
    void a_failed_removal_restores_what_was_removed() {
        FakeKernelWithRules kernel = new FakeKernelWithRules(request -> request.type() == RtNetlink.RTM_DELRULE
                        && KernelRule.decode(new NetlinkMessage(RtNetlink.RTM_NEWRULE, 0, request.payload()))
                                        .orElseThrow()
                                        .preference()
                                == 2
                ? Reply.refused(Errno.EBUSY, "")
                : Reply.done());
        NetworkConfigurator network = new NetworkConfigurator(new ScriptedNetlinkSocket(kernel));
        network.apply(blocking(1, 2, 3));
        assertThatThrownBy(network::remove)
                .hasMessage("kernel: refused 'ip -4 rule delete pref 2 iif wg0 unreachable protocol 67': device or"
                        + " resource busy (errno 16)");
        assertThat(network.observe().rules()).hasSize(3);
    }

    @Test
    void a_failed_revert_is_reported() {
        FakeKernelWithRules kernel = new FakeKernelWithRules(request -> {
            if (request.type() == RtNetlink.RTM_DELRULE) {
                return Reply.refused(Errno.EBUSY, "");
            }
            return KernelRule.decode(request).orElseThrow().preference() == 2
                    ? Reply.refused(Errno.EINVAL, "no twos")
                    : Reply.done();
        });
        assertThatThrownBy(() -> new NetworkConfigurator(new ScriptedNetlinkSocket(kernel)).apply(blocking(1, 2)))
                .hasMessage("""
                        kernel: refused 'ip -4 rule add pref 2 iif wg0 unreachable protocol 67': invalid argument (errno\
                         22): no twos
                        kernel: 'ip -4 rule add pref 1 iif wg0 unreachable protocol 67' could not be reverted: device or\
                         resource busy (errno 16)""");
    }

    @Test
    void removing_missing_objects_succeeds() {
        FakeKernelWithRules kernel = new FakeKernelWithRules(_ -> Reply.done());
        var socket = new ScriptedNetlinkSocket(request -> {
            Reply reply = kernel.apply(request);
            return request.type() == RtNetlink.RTM_DELRULE ? Reply.refused(Errno.ENOENT, "") : reply;
        });
        NetworkConfigurator network = new NetworkConfigurator(socket);
        network.apply(blocking(1, 2));
        assertThat(network.remove()).isEmpty();
        assertThat(network.observe()).isEqualTo(NetworkState.EMPTY);
    }

    @Test
    void blocking_rules_are_added_first_and_removed_last() {
        FakeKernelWithRules kernel = new FakeKernelWithRules(_ -> Reply.done());
        NetworkConfigurator network = new NetworkConfigurator(new ScriptedNetlinkSocket(kernel));
        PolicyRule lookup = DesiredStates.lookup(Family.IPV4, 5310, Selector.ANY.inputLink("wg0"), 51820);
        PolicyRule stop = DesiredStates.unreachable(Family.IPV4, 5311, Selector.ANY.inputLink("wg0"));
        assertThat(network.apply(DesiredStates.rules(List.of(lookup, stop))))
                .containsExactly(IpSyntax.add(stop), IpSyntax.add(lookup));
        PolicyRule other = DesiredStates.unreachable(Family.IPV4, 5309, Selector.ANY.inputLink("wg0"));
        assertThat(network.apply(DesiredStates.rules(List.of(other, lookup))))
                .containsExactly(IpSyntax.add(other), IpSyntax.delete(stop));
        assertThat(network.remove()).containsExactly(IpSyntax.delete(lookup), IpSyntax.delete(other));
    }
}
