// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.linux.Egress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

class ForwarderTest {

    private static final Timeouts SHORT = new Timeouts(Duration.ofMillis(100), Duration.ofMillis(250));
    private static final Timeouts LONG_TOTAL = new Timeouts(Duration.ofMillis(100), Duration.ofSeconds(20));
    private static final DnsQuery WWW = ScriptedServer.query("www.example.net.", Type.A);
    private static final String RECORD = "www.example.net. 60 A 192.0.2.80";

    @Test
    void after_a_silent_server_the_next_one_is_queried_and_preferred_from_then_on() throws Exception {
        try (ScriptedServer silent = new ScriptedServer(ScriptedServer.timeout());
                ScriptedServer responsive = new ScriptedServer(ScriptedServer.always(RECORD))) {
            Forwarder forwarder = new Forwarder(upstreams(silent.address(), responsive.address()), LONG_TOTAL);

            assertThat(forwarder.query(WWW).getSection(Section.ANSWER)).hasSize(1);
            assertThat(forwarder.query(WWW).getSection(Section.ANSWER)).hasSize(1);

            assertThat(silent.queries()).hasSize(1);
            assertThat(responsive.queries()).hasSize(2);
        }
    }

    /** With the timeout of one server, the total would expire before the second one is queried. */
    @Test
    void a_server_of_the_other_family_is_queried_before_the_timeout_of_a_silent_one() throws Exception {
        Timeouts noTurns = new Timeouts(Duration.ofSeconds(60), Duration.ofSeconds(60));
        try (ScriptedServer silent = silentOnIpv6();
                ScriptedServer responsive = new ScriptedServer(ScriptedServer.always(RECORD))) {
            Forwarder forwarder = new Forwarder(upstreams(silent.address(), responsive.address()), noTurns);

            assertThat(forwarder.query(WWW).getSection(Section.ANSWER)).hasSize(1);
            assertThat(forwarder.query(WWW).getSection(Section.ANSWER)).hasSize(1);

            assertThat(silent.queries()).hasSize(1);
            assertThat(responsive.queries()).hasSize(2);
        }
    }

    private static ScriptedServer silentOnIpv6() throws IOException {
        InetAddress loopback = InetAddress.ofLiteral("::1");
        Assumptions.assumeTrue(NetworkInterface.getByInetAddress(loopback) != null, "no ::1 on this machine");
        return new ScriptedServer(
                new InetSocketAddress(loopback, 0), ScriptedServer.timeout(), ScriptedServer.timeout());
    }

    @Test
    void the_first_server_of_the_other_family_comes_second() {
        List<InetSocketAddress> servers = Stream.of("2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2")
                .map(address -> new InetSocketAddress(InetAddress.ofLiteral(address), 53))
                .toList();

        assertThat(Forwarder.order(servers, 0))
                .containsExactly(servers.get(0), servers.get(2), servers.get(1), servers.get(3));
        assertThat(Forwarder.order(servers, 3))
                .containsExactly(servers.get(3), servers.get(0), servers.get(1), servers.get(2));
        assertThat(Forwarder.order(servers.subList(0, 2), 1)).containsExactly(servers.get(1), servers.get(0));
    }

    @Test
    void after_a_refusal_the_next_server_is_queried() throws Exception {
        try (ScriptedServer refusing = new ScriptedServer(query -> List.of(refused(query)));
                ScriptedServer responsive = new ScriptedServer(ScriptedServer.always(RECORD))) {
            Forwarder forwarder = new Forwarder(upstreams(refusing.address(), responsive.address()), LONG_TOTAL);

            assertThat(forwarder.query(WWW).getSection(Section.ANSWER)).hasSize(1);
        }
    }

    @Test
    void a_refusal_is_returned_if_no_other_server_answers() throws Exception {
        try (ScriptedServer refusing = new ScriptedServer(query -> List.of(refused(query)))) {
            Forwarder forwarder = new Forwarder(upstreams(refusing.address()), LONG_TOTAL);

            assertThat(forwarder.query(WWW).getRcode()).isEqualTo(Rcode.REFUSED);
        }
    }

    @Test
    void an_answer_after_a_servers_own_timeout_is_accepted() throws Exception {
        try (ScriptedServer slow = ScriptedServer.answeringFirstAfter(3, RECORD)) {
            Forwarder forwarder = new Forwarder(upstreams(slow.address()), LONG_TOTAL);

            assertThat(forwarder.query(WWW).getSection(Section.ANSWER)).hasSize(1);
            assertThat(slow.queries()).hasSize(3);
        }
    }

    @Test
    void the_answer_of_a_slow_server_is_accepted_while_others_are_queried() throws Exception {
        try (ScriptedServer slow = ScriptedServer.answeringFirstAfter(2, RECORD);
                ScriptedServer silent = new ScriptedServer(ScriptedServer.timeout())) {
            Forwarder forwarder = new Forwarder(upstreams(slow.address(), silent.address()), LONG_TOTAL);

            assertThat(forwarder.query(WWW).getSection(Section.ANSWER)).hasSize(1);
        }
    }

    @Test
    void a_refusal_does_not_end_the_wait_for_a_slow_server() throws Exception {
        try (ScriptedServer slow = ScriptedServer.answeringFirstAfter(3, RECORD);
                ScriptedServer refusing = new ScriptedServer(query -> List.of(refused(query)))) {
            Forwarder forwarder = new Forwarder(upstreams(slow.address(), refusing.address()), LONG_TOTAL);

            assertThat(forwarder.query(WWW).getSection(Section.ANSWER)).hasSize(1);
            assertThat(refusing.queries()).hasSize(1);
        }
    }

    @Test
    void an_unreachable_server_does_not_shorten_the_time_of_a_slow_one() throws Exception {
        InetSocketAddress closed;
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.timeout())) {
            closed = server.address();
        }
        try (ScriptedServer slow = ScriptedServer.answeringFirstAfter(3, RECORD)) {
            Forwarder forwarder = new Forwarder(upstreams(slow.address(), closed), LONG_TOTAL);

            assertThat(forwarder.query(WWW).getSection(Section.ANSWER)).hasSize(1);
        }
    }

    @Test
    void a_truncated_answer_is_fetched_over_TCP() throws Exception {
        try (ScriptedServer server =
                new ScriptedServer(query -> List.of(truncated(query)), ScriptedServer.always(RECORD))) {
            Forwarder forwarder = new Forwarder(upstreams(server.address()), LONG_TOTAL);

            assertThat(forwarder.query(WWW).getSection(Section.ANSWER)).hasSize(1);
            assertThat(server.queries()).containsExactly("udp www.example.net.", "tcp www.example.net.");
        }
    }

    @Test
    void a_failed_TCP_query_leaves_time_for_the_next_server() throws Exception {
        try (ScriptedServer half = new ScriptedServer(query -> List.of(truncated(query)), ScriptedServer.timeout());
                ScriptedServer whole = new ScriptedServer(ScriptedServer.always(RECORD))) {
            Forwarder forwarder = new Forwarder(upstreams(half.address(), whole.address()), LONG_TOTAL);

            assertThat(forwarder.query(WWW).getSection(Section.ANSWER)).hasSize(1);
        }
    }

    @Test
    void no_response_from_any_server_is_an_error() throws IOException {
        try (ScriptedServer silent = new ScriptedServer(ScriptedServer.timeout())) {
            Forwarder forwarder = new Forwarder(upstreams(silent.address()), SHORT);

            assertThatThrownBy(() -> forwarder.query(WWW))
                    .isInstanceOf(NoResponseException.class)
                    .hasMessage("no response from 127.0.0.1");
            assertThat(silent.queries()).hasSizeGreaterThan(1);
        }
    }

    @Test
    void an_unreachable_server_is_not_queried_repeatedly() throws IOException {
        InetSocketAddress closed;
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.timeout())) {
            closed = server.address();
        }
        Forwarder forwarder =
                new Forwarder(upstreams(closed), new Timeouts(Duration.ofSeconds(10), Duration.ofSeconds(20)));

        assertThatThrownBy(() -> forwarder.query(WWW)).hasMessageContaining("connection refused");
    }

    @Test
    void without_servers_nothing_is_queried() {
        assertThatThrownBy(() -> new Forwarder(Upstreams.NONE, SHORT).query(WWW))
                .hasMessage("no DNS server is configured");
    }

    private static Upstreams upstreams(InetSocketAddress... servers) {
        return new Upstreams(List.of(servers), Egress.ANY);
    }

    private static Message truncated(Message query) {
        Message truncated = ScriptedServer.answer(query);
        truncated.getHeader().setFlag(Flags.TC);
        return truncated;
    }

    private static Message refused(Message query) {
        Message refused = ScriptedServer.answer(query);
        refused.getHeader().setRcode(Rcode.REFUSED);
        return refused;
    }
}
