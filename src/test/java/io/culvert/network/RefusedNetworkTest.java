package io.culvert.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.ip.Family;
import io.culvert.linux.Errno;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.ScriptedNetlinkSocket;
import io.culvert.netlink.ScriptedNetlinkSocket.Reply;
import io.culvert.network.Rule.Selector;
import io.culvert.problem.Hints;
import io.culvert.problem.ProblemException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

/** Tests failures that a real kernel cannot be made to produce. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class RefusedNetworkTest {

    /** A kernel with nothing but rules. */
    private static final class Rules implements Function<NetlinkMessage, Reply> {

        private final List<NetlinkMessage> rules = new ArrayList<>();
        private final Function<NetlinkMessage, Reply> verdict;

        Rules(Function<NetlinkMessage, Reply> verdict) {
            this.verdict = verdict;
        }

        @Override
        public Reply apply(NetlinkMessage request) {
            if (request.type() == RtNetlink.RTM_GETRULE) {
                return Reply.done(rules.toArray(NetlinkMessage[]::new));
            }
            if (request.type() != RtNetlink.RTM_NEWRULE && request.type() != RtNetlink.RTM_DELRULE) {
                return Reply.done();
            }
            Reply reply = verdict.apply(request);
            if (reply.outcome().done()) {
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
        return Wanted.rules(Arrays.stream(preferences)
                .mapToObj(preference -> Wanted.unreachable(Family.IPV4, preference, Selector.ANY.inputLink("wg0")))
                .toList());
    }

    private static Function<NetlinkMessage, Reply> refuseAdding(int errno) {
        return request -> request.type() == RtNetlink.RTM_NEWRULE ? Reply.refused(errno, "") : Reply.done();
    }

    @Test
    void without_the_capability_there_is_one_problem_and_the_cure() {
        Network network = new Network(new ScriptedNetlinkSocket(new Rules(refuseAdding(Errno.EPERM))));
        assertThatThrownBy(() -> network.apply(blocking(1, 2, 3))).isInstanceOfSatisfying(ProblemException.class, e -> {
            assertThat(e.problems()).hasSize(1);
            assertThat(e.exitStatus()).isEqualTo(3);
            assertThat(e.getMessage()).contains(Hints.here().netAdmin());
        });
    }

    @Test
    void of_very_many_refusals_the_first_are_told_and_the_rest_counted() {
        Network network = new Network(new ScriptedNetlinkSocket(new Rules(refuseAdding(Errno.EINVAL))));
        assertThatThrownBy(() ->
                        network.apply(blocking(IntStream.rangeClosed(1, 500).toArray())))
                .isInstanceOfSatisfying(
                        ProblemException.class, e -> assertThat(e.problems()).hasSize(21))
                .hasMessageContaining("'ip -4 rule add pref 20 iif wg0 unreachable protocol 67'")
                .hasMessageContaining("480 more");
    }

    @Test
    void a_request_that_is_taken_and_not_kept_is_found_out_and_all_is_undone() {
        Rules kernel = new Rules(_ -> Reply.done());
        var socket = new ScriptedNetlinkSocket(request -> {
            Reply reply = kernel.apply(request);
            kernel.rules.removeIf(rule -> KernelRule.decode(rule).orElseThrow().preference() == 2);
            return reply;
        });
        assertThatThrownBy(() -> new Network(socket).apply(blocking(1, 2, 3)))
                .hasMessage("kernel: accepted 'ip -4 rule add pref 2 iif wg0 unreachable protocol 67' but does not"
                        + " list it");
        assertThat(kernel.rules).isEmpty();
    }

    @Test
    void what_cannot_be_removed_brings_back_what_was_removed() {
        Rules kernel = new Rules(request -> request.type() == RtNetlink.RTM_DELRULE
                        && KernelRule.decode(new NetlinkMessage(RtNetlink.RTM_NEWRULE, 0, request.payload()))
                                        .orElseThrow()
                                        .preference()
                                == 2
                ? Reply.refused(Errno.EBUSY, "")
                : Reply.done());
        Network network = new Network(new ScriptedNetlinkSocket(kernel));
        network.apply(blocking(1, 2, 3));
        assertThatThrownBy(network::remove)
                .hasMessage("kernel: refused 'ip -4 rule delete pref 2 iif wg0 unreachable protocol 67': device or"
                        + " resource busy (errno 16)");
        assertThat(network.observe().rules()).hasSize(3);
    }

    @Test
    void what_cannot_be_taken_back_is_told() {
        Rules kernel = new Rules(request -> {
            if (request.type() == RtNetlink.RTM_DELRULE) {
                return Reply.refused(Errno.EBUSY, "");
            }
            return KernelRule.decode(request).orElseThrow().preference() == 2
                    ? Reply.refused(Errno.EINVAL, "no twos")
                    : Reply.done();
        });
        assertThatThrownBy(() -> new Network(new ScriptedNetlinkSocket(kernel)).apply(blocking(1, 2)))
                .hasMessage("""
                        kernel: refused 'ip -4 rule add pref 2 iif wg0 unreachable protocol 67': invalid argument (errno\
                         22): no twos
                        kernel: 'ip -4 rule add pref 1 iif wg0 unreachable protocol 67' could not be reverted: device or\
                         resource busy (errno 16)""");
    }

    @Test
    void removing_what_is_gone_already_is_no_failure() {
        Rules kernel = new Rules(_ -> Reply.done());
        var socket = new ScriptedNetlinkSocket(request -> {
            Reply reply = kernel.apply(request);
            return request.type() == RtNetlink.RTM_DELRULE ? Reply.refused(Errno.ENOENT, "") : reply;
        });
        Network network = new Network(socket);
        network.apply(blocking(1, 2));
        assertThat(network.remove()).isEmpty();
        assertThat(network.observe()).isEqualTo(NetworkState.EMPTY);
    }

    @Test
    void what_stops_packets_comes_first_and_goes_last() {
        Rules kernel = new Rules(_ -> Reply.done());
        Network network = new Network(new ScriptedNetlinkSocket(kernel));
        Rule lookup = Wanted.lookup(Family.IPV4, 5310, Selector.ANY.inputLink("wg0"), 51820);
        Rule stop = Wanted.unreachable(Family.IPV4, 5311, Selector.ANY.inputLink("wg0"));
        assertThat(network.apply(Wanted.rules(List.of(lookup, stop))))
                .containsExactly(IpSyntax.add(stop), IpSyntax.add(lookup));
        Rule other = Wanted.unreachable(Family.IPV4, 5309, Selector.ANY.inputLink("wg0"));
        assertThat(network.apply(Wanted.rules(List.of(other, lookup))))
                .containsExactly(IpSyntax.add(other), IpSyntax.delete(stop));
        assertThat(network.remove()).containsExactly(IpSyntax.delete(lookup), IpSyntax.delete(other));
    }
}
