// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import static io.culvert.linux.FreshNamespace.inside;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.lab.NamespaceTest;
import io.culvert.linux.Errno;
import io.culvert.linux.FreshNamespace;
import io.culvert.netlink.NetlinkSocket.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

@NamespaceTest
class KernelNetlinkSocketTest {

    private static final int RTM_GETLINK = 18;
    private static final int RTM_NEWRULE = 32;
    private static final int RTM_GETRULE = 34;
    private static final int FRA_PRIORITY = 6;
    private static final int IFLA_IFNAME = 3;
    private static final int RTNLGRP_LINK = 1;
    private static final int RTNLGRP_IPV4_RULE = 8;

    @Test
    void a_large_batch_has_one_outcome_per_request_in_order() throws Exception {
        inside(() -> {
            try (NetlinkSocket socket = KernelNetlinkSocket.route()) {
                List<NetlinkMessage> requests =
                        IntStream.rangeClosed(1, 1000).mapToObj(i -> rule(i)).toList();
                assertThat(socket.execute(requests)).hasSize(1000).allMatch(Outcome::succeeded);

                List<Outcome> again = socket.execute(
                        Stream.of(rule(2000), rule(1000), rule(2001)).toList());
                assertThat(again.stream().map(Outcome::errno)).containsExactly(0, Errno.EEXIST, 0);

                assertThat(socket.dump(new NetlinkMessage(RTM_GETRULE, 0, ruleHeader(0))))
                        .hasSize(1002 + 3);
            }
        });
    }

    @Test
    void an_outcome_contains_the_kernels_error_message() throws Exception {
        inside(() -> {
            try (NetlinkSocket socket = KernelNetlinkSocket.route()) {
                NetlinkMessage reversedPorts = new NetlinkMessage(
                        RTM_NEWRULE,
                        NetlinkMessage.NLM_F_CREATE,
                        AttributeWriter.after(ruleHeader(1))
                                .u32(15, 254)
                                .bytes(23, new byte[] {2, 0, 1, 0})
                                .toByteArray());
                Outcome outcome =
                        socket.execute(List.of(reversedPorts, rule(7))).getFirst();
                assertThat(outcome.errno()).isEqualTo(Errno.EINVAL);
                assertThat(outcome.message()).isEqualTo("Invalid sport range");
            }
        });
    }

    @Test
    void a_single_object_is_queried_by_name() throws Exception {
        inside(() -> {
            try (NetlinkSocket socket = KernelNetlinkSocket.route()) {
                assertThat(socket.query(link("lo"))).hasSize(1);
                assertThatThrownBy(() -> socket.query(link("no-such")))
                        .isInstanceOfSatisfying(
                                NetlinkException.class,
                                e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
                assertThat(socket.query(link("lo")))
                        .as("the socket works after an error")
                        .hasSize(1);
            }
        });
    }

    @Test
    void a_notification_contains_the_port_id_of_its_cause() throws Exception {
        inside(() -> {
            try (NetlinkSocket socket = KernelNetlinkSocket.route();
                    NetlinkSocket events = KernelNetlinkSocket.routeEvents(List.of(RTNLGRP_LINK, RTNLGRP_IPV4_RULE))) {
                assertThat(socket.execute(List.of(rule(5)))).allMatch(Outcome::succeeded);
                NetlinkMessage own = events.receive(Duration.ofSeconds(10)).getFirst();
                assertThat(own.type()).isEqualTo(RTM_NEWRULE);
                assertThat(own.portId()).isEqualTo(socket.portId());

                FreshNamespace.sh("ip rule add pref 6 lookup main");
                NetlinkMessage foreign = events.receive(Duration.ofSeconds(10)).getFirst();
                assertThat(foreign.type()).isEqualTo(RTM_NEWRULE);
                assertThat(foreign.portId()).isNotEqualTo(socket.portId());
            }
        });
    }

    @Test
    void lost_notifications_are_reported() throws Exception {
        inside(() -> {
            try (NetlinkSocket socket = KernelNetlinkSocket.route();
                    NetlinkSocket events = KernelNetlinkSocket.routeEvents(List.of(RTNLGRP_IPV4_RULE))) {
                socket.execute(
                        IntStream.rangeClosed(1, 10_000).mapToObj(i -> rule(i)).toList());
                boolean overrun = false;
                for (int i = 0; i < 10_001 && !overrun; i++) {
                    overrun = events.receive(Duration.ofSeconds(10)).getFirst().type() == NetlinkSocket.OVERRUN;
                }
                assertThat(overrun).isTrue();
            }
        });
    }

    @Test
    void another_thread_ends_the_wait_for_notifications() throws Exception {
        inside(() -> {
            try (NetlinkSocket events = KernelNetlinkSocket.routeEvents(List.of(RTNLGRP_LINK))) {
                assertThat(events.receive(Duration.ZERO)).isEmpty();
                FutureTask<List<NetlinkMessage>> waiting = new FutureTask<>(() -> events.receive(Duration.ofDays(1)));
                Thread.ofPlatform().start(waiting);
                events.wake();
                assertThat(waiting.get(10, TimeUnit.SECONDS)).isEmpty();
            }
        });
    }

    @Test
    void only_existing_generic_netlink_families_are_found() {
        try (NetlinkSocket socket = KernelNetlinkSocket.generic()) {
            assertThat(new GenericNetlink(socket).findFamily("nlctrl")).hasValue(0x10);
            assertThat(new GenericNetlink(socket).findFamily("culvert-none")).isEmpty();
        }
    }

    private static NetlinkMessage rule(int priority) {
        return new NetlinkMessage(
                RTM_NEWRULE,
                NetlinkMessage.NLM_F_CREATE | NetlinkMessage.NLM_F_EXCL,
                AttributeWriter.after(ruleHeader(7)).u32(FRA_PRIORITY, priority).toByteArray());
    }

    /** {@code struct fib_rule_hdr} for IPv4. */
    private static byte[] ruleHeader(int action) {
        return new byte[] {2, 0, 0, 0, 0, 0, 0, (byte) action, 0, 0, 0, 0};
    }

    private static NetlinkMessage link(String name) {
        return new NetlinkMessage(
                RTM_GETLINK,
                0,
                AttributeWriter.after(new byte[16]).string(IFLA_IFNAME, name).toByteArray());
    }
}
