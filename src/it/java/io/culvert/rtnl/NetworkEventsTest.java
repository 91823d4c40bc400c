// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import static io.culvert.linux.FreshNamespace.inside;
import static io.culvert.linux.FreshNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import io.culvert.net.Family;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.ScriptedNetlinkSocket;
import io.culvert.netlink.ScriptedNetlinkSocket.Reply;
import io.culvert.rtnl.NetworkEvents.Subject;
import io.culvert.rtnl.PolicyRule.Selector;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class NetworkEventsTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final int OURS = 7;

    private static Optional<NetworkEvents.Change> changeAfter(NetlinkMessage... messages) {
        ScriptedNetlinkSocket socket = new ScriptedNetlinkSocket(_ -> Reply.done());
        socket.notify(messages);
        return new NetworkEvents(socket, port -> port == OURS).await(Duration.ZERO);
    }

    private static NetlinkMessage event(int type, int port) {
        return new NetlinkMessage(type, 0, new byte[0], port);
    }

    @Test
    void own_changes_are_not_reported() {
        assertThat(changeAfter(event(RtNetlink.RTM_NEWRULE, OURS))).isEmpty();
        assertThat(changeAfter(event(RtNetlink.RTM_NEWRULE, OURS), event(RtNetlink.RTM_DELROUTE, 8)))
                .contains(new NetworkEvents.Change(Set.of(Subject.ROUTE)));
    }

    @Test
    void lost_notifications_and_link_changes_affect_everything() {
        assertThat(changeAfter(event(NetlinkSocket.OVERRUN, 0)))
                .hasValueSatisfying(
                        change -> assertThat(change.affectsEverything()).isTrue());
        assertThat(changeAfter(event(RtNetlink.RTM_NEWLINK, 0)))
                .hasValueSatisfying(
                        change -> assertThat(change.affectsEverything()).isTrue());
        assertThat(changeAfter(event(RtNetlink.RTM_DELADDR, 0)))
                .hasValueSatisfying(
                        change -> assertThat(change.affectsEverything()).isFalse());
    }

    @Test
    void changes_in_quick_succession_are_reported_as_one() {
        ScriptedNetlinkSocket socket = new ScriptedNetlinkSocket(_ -> Reply.done());
        socket.notify(event(RtNetlink.RTM_NEWADDR, 1)).notify(event(RtNetlink.RTM_NEWROUTE, 1));
        NetworkEvents events = new NetworkEvents(socket, _ -> false);
        assertThat(events.await(TIMEOUT)).contains(new NetworkEvents.Change(Set.of(Subject.ADDRESS, Subject.ROUTE)));
        assertThat(events.await(Duration.ZERO)).isEmpty();
        events.close();
        assertThat(socket.closed()).isTrue();
        assertThat(events.await(TIMEOUT)).isEmpty();
    }

    @Test
    @NamespaceTest
    void foreign_changes_are_reported_and_own_ones_are_not() throws Exception {
        inside(() -> {
            try (var socket = KernelNetlinkSocket.route();
                    NetworkEvents events = NetworkEvents.open(port -> port == socket.portId())) {
                NetworkConfigurator network = new NetworkConfigurator(socket);
                NetworkState state = DesiredStates.rules(
                        List.of(DesiredStates.unreachable(Family.IPV6, 5311, Selector.ANY.inputLink("wg0"))));
                network.apply(state);
                sh("ip -6 rule del pref 5311");
                assertThat(events.await(TIMEOUT)).contains(new NetworkEvents.Change(Set.of(Subject.RULE)));
                assertThat(network.apply(state)).hasSize(1);

                sh("ip addr add 192.0.2.1/32 dev lo");
                assertThat(events.await(TIMEOUT))
                        .hasValueSatisfying(
                                change -> assertThat(change.subjects()).contains(Subject.ADDRESS));
                sh("ip link add up0 type veth peer name far0");
                assertThat(events.await(TIMEOUT))
                        .hasValueSatisfying(
                                change -> assertThat(change.affectsEverything()).isTrue());
            }
        });
    }

    @Test
    @NamespaceTest
    void closing_ends_a_wait_in_another_thread() throws Exception {
        inside(() -> {
            NetworkEvents events = NetworkEvents.open(_ -> false);
            FutureTask<Optional<NetworkEvents.Change>> waiting =
                    new FutureTask<>(() -> events.await(Duration.ofDays(365)));
            Thread.ofPlatform().start(waiting);
            events.close();
            assertThat(waiting.get(10, TimeUnit.SECONDS)).isEmpty();
            events.close();
        });
    }
}
