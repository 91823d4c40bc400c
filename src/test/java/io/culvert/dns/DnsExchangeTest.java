// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.dns.DnsExchange.Reply;
import io.culvert.linux.Egress;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

class DnsExchangeTest {

    private static final Duration LONG_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration SHORT_TIMEOUT = Duration.ofMillis(100);
    private static final DnsQuery WWW = ScriptedServer.query("www.example.net.", Type.A);

    private final DnsExchange exchange = new DnsExchange();

    @Test
    void an_answer_is_returned() throws IOException {
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.always("www.example.net. 60 A 192.0.2.80"))) {
            assertThat(answers(query(server))).containsExactly("192.0.2.80");
            assertThat(server.queries()).containsExactly("udp www.example.net.");
        }
    }

    @Test
    void an_answer_over_TCP_may_be_longer() throws IOException {
        try (ScriptedServer server = new ScriptedServer(
                ScriptedServer.timeout(), ScriptedServer.always("www.example.net. 60 A 192.0.2.80"))) {
            assertThat(answers(exchange.queryByTcp(WWW, server.address(), Egress.ANY, LONG_TIMEOUT)))
                    .containsExactly("192.0.2.80");
            assertThat(server.queries()).containsExactly("tcp www.example.net.");
        }
    }

    @Test
    void an_answer_to_the_first_of_several_attempts_is_accepted() throws IOException {
        try (ScriptedServer slow = ScriptedServer.answeringFirstAfter(2, "www.example.net. 60 A 192.0.2.80");
                ScriptedServer silent = new ScriptedServer(ScriptedServer.timeout());
                DnsExchange.Attempts attempts = exchange.prepare(WWW, Egress.ANY)) {
            attempts.send(slow.address());
            attempts.send(silent.address());
            assertThat(attempts.await(SHORT_TIMEOUT)).isEmpty();

            attempts.send(slow.address());

            assertThat(answers(answer(attempts))).containsExactly("192.0.2.80");
            assertThat(attempts.isWaitingFor(slow.address())).isFalse();
            assertThat(attempts.isWaitingFor(silent.address())).isTrue();
        }
    }

    @Test
    void forged_answers_are_ignored() throws IOException {
        try (ScriptedServer server = new ScriptedServer(query -> {
            Message otherId = ScriptedServer.answer(query, "www.example.net. 60 A 203.0.113.66");
            otherId.getHeader().setID(query.getHeader().getID() ^ 1);
            Message otherQuestion = ScriptedServer.answer(
                    ScriptedServer.query("other.example.net.", Type.A)
                            .message(query.getHeader().getID()),
                    "www.example.net. 60 A 203.0.113.66");
            Message noAnswer = ScriptedServer.answer(query, "www.example.net. 60 A 203.0.113.66");
            noAnswer.getHeader().unsetFlag(Flags.QR);
            Message genuine = ScriptedServer.answer(query, "www.example.net. 60 A 192.0.2.80");
            return List.of(otherId, otherQuestion, noAnswer, genuine);
        })) {
            assertThat(answers(query(server))).containsExactly("192.0.2.80");
        }
    }

    @Test
    void an_answer_from_another_port_is_ignored() throws IOException {
        try (DatagramSocket server = new DatagramSocket(0, InetAddress.ofLiteral("127.0.0.1"));
                DatagramSocket other = new DatagramSocket(0, InetAddress.ofLiteral("127.0.0.1"));
                DnsExchange.Attempts attempts = exchange.prepare(WWW, Egress.ANY)) {
            attempts.send((InetSocketAddress) server.getLocalSocketAddress());
            DatagramPacket packet = new DatagramPacket(new byte[4096], 4096);
            server.receive(packet);
            Message query = new Message(Arrays.copyOf(packet.getData(), packet.getLength()));
            send(other, packet, ScriptedServer.answer(query, "www.example.net. 60 A 203.0.113.66"));
            assertThat(attempts.await(SHORT_TIMEOUT)).isEmpty();

            send(server, packet, ScriptedServer.answer(query, "www.example.net. 60 A 192.0.2.80"));
            assertThat(answers(answer(attempts))).containsExactly("192.0.2.80");
        }
    }

    private static void send(DatagramSocket from, DatagramPacket query, Message answer) throws IOException {
        byte[] wire = answer.toWire();
        from.send(new DatagramPacket(wire, wire.length, query.getSocketAddress()));
    }

    @Test
    void a_silent_server_causes_a_timeout() throws IOException {
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.timeout())) {
            try (DnsExchange.Attempts attempts = exchange.prepare(WWW, Egress.ANY)) {
                attempts.send(server.address());
                assertThat(attempts.await(SHORT_TIMEOUT)).isEmpty();
            }
        }
    }

    @Test
    void a_closed_port_fails_immediately() throws IOException {
        InetSocketAddress closed;
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.timeout())) {
            closed = server.address();
        }
        try (DnsExchange.Attempts attempts = exchange.prepare(WWW, Egress.ANY)) {
            attempts.send(closed);

            assertThat(attempts.await(LONG_TIMEOUT))
                    .hasValueSatisfying(reply -> assertThat(reply)
                            .isInstanceOfSatisfying(
                                    Reply.Failure.class,
                                    failure -> assertThat(failure.cause())
                                            .isNotInstanceOf(SocketTimeoutException.class)
                                            .hasMessageContaining("udp to 127.0.0.1 port " + closed.getPort()
                                                    + ": connection refused")));
            assertThat(attempts.isWaiting()).isFalse();
        }
    }

    @Test
    void nothing_is_sent_without_the_bound_interface() throws IOException {
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.timeout())) {
            try (DnsExchange.Attempts attempts = exchange.prepare(WWW, Egress.ANY.boundTo("nowhere0"))) {
                assertThatThrownBy(() -> attempts.send(server.address()))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("no such device");
            }
            assertThat(server.queries()).isEmpty();
        }
    }

    private Message query(ScriptedServer server) throws IOException {
        try (DnsExchange.Attempts attempts = exchange.prepare(WWW, Egress.ANY)) {
            attempts.send(server.address());
            return answer(attempts);
        }
    }

    private static Message answer(DnsExchange.Attempts attempts) {
        return ((Reply.Answer) attempts.await(LONG_TIMEOUT).orElseThrow()).message();
    }

    private static List<String> answers(Message message) {
        return message.getSection(Section.ANSWER).stream()
                .map(record -> record.rdataToString())
                .toList();
    }
}
