package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.dns.Exchange.Reply;
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
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ExchangeTest {

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(100);
    private static final Question WWW = ScriptedServer.question("www.example.net.", Type.A);

    private final Exchange exchange = new Exchange();

    @Test
    void the_answer_comes_back() throws IOException {
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.always("www.example.net. 60 A 192.0.2.80"))) {
            assertThat(answers(ask(server))).containsExactly("192.0.2.80");
            assertThat(server.asked()).containsExactly("udp www.example.net.");
        }
    }

    @Test
    void by_tcp_an_answer_may_be_longer() throws IOException {
        try (ScriptedServer server = new ScriptedServer(
                ScriptedServer.silence(), ScriptedServer.always("www.example.net. 60 A 192.0.2.80"))) {
            assertThat(answers(exchange.byTcp(WWW, server.address(), Egress.ANY, LONG)))
                    .containsExactly("192.0.2.80");
            assertThat(server.asked()).containsExactly("tcp www.example.net.");
        }
    }

    @Test
    void a_server_that_is_asked_again_may_still_answer_what_it_was_asked_first() throws IOException {
        try (ScriptedServer slow = ScriptedServer.answeringTheFirst(2, "www.example.net. 60 A 192.0.2.80");
                ScriptedServer silent = new ScriptedServer(ScriptedServer.silence());
                Exchange.Attempts attempts = exchange.begin(WWW, Egress.ANY)) {
            attempts.send(slow.address());
            attempts.send(silent.address());
            assertThat(attempts.await(SHORT)).isEmpty();

            attempts.send(slow.address());

            assertThat(answers(answer(attempts))).containsExactly("192.0.2.80");
            assertThat(attempts.isWaitingFor(slow.address())).isFalse();
            assertThat(attempts.isWaitingFor(silent.address())).isTrue();
        }
    }

    @Test
    void forged_answers_are_passed_over() throws IOException {
        try (ScriptedServer server = new ScriptedServer(query -> {
            Message otherId = ScriptedServer.answer(query, "www.example.net. 60 A 203.0.113.66");
            otherId.getHeader().setID(query.getHeader().getID() ^ 1);
            Message otherQuestion = ScriptedServer.answer(
                    ScriptedServer.question("other.example.net.", Type.A)
                            .query(query.getHeader().getID()),
                    "www.example.net. 60 A 203.0.113.66");
            Message noAnswer = ScriptedServer.answer(query, "www.example.net. 60 A 203.0.113.66");
            noAnswer.getHeader().unsetFlag(Flags.QR);
            Message truth = ScriptedServer.answer(query, "www.example.net. 60 A 192.0.2.80");
            return List.of(otherId, otherQuestion, noAnswer, truth);
        })) {
            assertThat(answers(ask(server))).containsExactly("192.0.2.80");
        }
    }

    @Test
    void an_answer_from_another_port_is_none() throws IOException {
        try (DatagramSocket server = new DatagramSocket(0, InetAddress.ofLiteral("127.0.0.1"));
                DatagramSocket other = new DatagramSocket(0, InetAddress.ofLiteral("127.0.0.1"));
                Exchange.Attempts attempts = exchange.begin(WWW, Egress.ANY)) {
            attempts.send((InetSocketAddress) server.getLocalSocketAddress());
            DatagramPacket packet = new DatagramPacket(new byte[4096], 4096);
            server.receive(packet);
            Message query = new Message(Arrays.copyOf(packet.getData(), packet.getLength()));
            send(other, packet, ScriptedServer.answer(query, "www.example.net. 60 A 203.0.113.66"));
            assertThat(attempts.await(SHORT)).isEmpty();

            send(server, packet, ScriptedServer.answer(query, "www.example.net. 60 A 192.0.2.80"));
            assertThat(answers(answer(attempts))).containsExactly("192.0.2.80");
        }
    }

    private static void send(DatagramSocket from, DatagramPacket query, Message answer) throws IOException {
        byte[] wire = answer.toWire();
        from.send(new DatagramPacket(wire, wire.length, query.getSocketAddress()));
    }

    @Test
    void silence_ends_with_the_time() throws IOException {
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.silence())) {
            try (Exchange.Attempts attempts = exchange.begin(WWW, Egress.ANY)) {
                attempts.send(server.address());
                assertThat(attempts.await(SHORT)).isEmpty();
            }
        }
    }

    @Test
    void a_closed_port_says_so_at_once() throws IOException {
        InetSocketAddress closed;
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.silence())) {
            closed = server.address();
        }
        try (Exchange.Attempts attempts = exchange.begin(WWW, Egress.ANY)) {
            attempts.send(closed);

            assertThat(attempts.await(LONG))
                    .hasValueSatisfying(reply -> assertThat(reply)
                            .isInstanceOfSatisfying(
                                    Reply.Failure.class,
                                    failure -> assertThat(failure.why())
                                            .isNotInstanceOf(SocketTimeoutException.class)
                                            .hasMessageContaining("udp to 127.0.0.1 port " + closed.getPort()
                                                    + ": connection refused")));
            assertThat(attempts.isWaiting()).isFalse();
        }
    }

    @Test
    void a_link_that_is_missing_lets_nothing_out() throws IOException {
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.silence())) {
            try (Exchange.Attempts attempts = exchange.begin(WWW, Egress.ANY.through("nowhere0"))) {
                assertThatThrownBy(() -> attempts.send(server.address()))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("no such device");
            }
            assertThat(server.asked()).isEmpty();
        }
    }

    private Message ask(ScriptedServer server) throws IOException {
        try (Exchange.Attempts attempts = exchange.begin(WWW, Egress.ANY)) {
            attempts.send(server.address());
            return answer(attempts);
        }
    }

    private static Message answer(Exchange.Attempts attempts) {
        return ((Reply.Answer) attempts.await(LONG).orElseThrow()).message();
    }

    private static List<String> answers(Message message) {
        return message.getSection(Section.ANSWER).stream()
                .map(record -> record.rdataToString())
                .toList();
    }
}
