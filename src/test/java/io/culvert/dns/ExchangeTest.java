package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.linux.Egress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
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
            assertThat(answers(ask(server, LONG))).containsExactly("192.0.2.80");
            assertThat(server.asked()).containsExactly("udp www.example.net.");
        }
    }

    @Test
    void an_answer_cut_short_is_fetched_by_tcp() throws IOException {
        try (ScriptedServer server = new ScriptedServer(
                query -> {
                    Message cut = ScriptedServer.answer(query);
                    cut.getHeader().setFlag(Flags.TC);
                    return List.of(cut);
                },
                ScriptedServer.always("www.example.net. 60 A 192.0.2.80"))) {
            assertThat(answers(ask(server, LONG))).containsExactly("192.0.2.80");
            assertThat(server.asked()).containsExactly("udp www.example.net.", "tcp www.example.net.");
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
            assertThat(answers(ask(server, LONG))).containsExactly("192.0.2.80");
        }
    }

    @Test
    void silence_ends_with_the_time() throws IOException {
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.silence())) {
            assertThatThrownBy(() -> ask(server, SHORT)).isInstanceOf(SocketTimeoutException.class);
        }
    }

    @Test
    void a_closed_port_says_so_at_once() throws IOException {
        InetSocketAddress closed;
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.silence())) {
            closed = server.address();
        }
        assertThatThrownBy(() -> exchange.ask(WWW, closed, Egress.ANY, LONG))
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(SocketTimeoutException.class)
                .hasMessageContaining("udp to 127.0.0.1 port " + closed.getPort() + ": connection refused");
    }

    @Test
    void a_link_that_is_missing_lets_nothing_out() throws IOException {
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.silence())) {
            assertThatThrownBy(() -> exchange.ask(WWW, server.address(), Egress.ANY.through("nowhere0"), LONG))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("no such device");
            assertThat(server.asked()).isEmpty();
        }
    }

    private Message ask(ScriptedServer server, Duration time) throws IOException {
        return exchange.ask(WWW, server.address(), Egress.ANY, time);
    }

    private static List<String> answers(Message message) {
        return message.getSection(Section.ANSWER).stream()
                .map(record -> record.rdataToString())
                .toList();
    }
}
