package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.linux.Egress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ForwarderTest {

    private static final Patience SHORT = new Patience(Duration.ofMillis(100), Duration.ofMillis(250));
    private static final Patience FOR_ONE = new Patience(Duration.ofMillis(100), Duration.ofSeconds(20));
    private static final Question WWW = ScriptedServer.question("www.example.net.", Type.A);
    private static final String RECORD = "www.example.net. 60 A 192.0.2.80";

    @Test
    void the_next_server_is_asked_when_one_is_silent_and_is_then_asked_first() throws Exception {
        try (ScriptedServer silent = new ScriptedServer(ScriptedServer.silence());
                ScriptedServer speaking = new ScriptedServer(ScriptedServer.always(RECORD))) {
            Forwarder forwarder = new Forwarder(to(silent.address(), speaking.address()), FOR_ONE);

            assertThat(forwarder.ask(WWW).getSection(Section.ANSWER)).hasSize(1);
            assertThat(forwarder.ask(WWW).getSection(Section.ANSWER)).hasSize(1);

            assertThat(silent.asked()).hasSize(1);
            assertThat(speaking.asked()).hasSize(2);
        }
    }

    @Test
    void the_next_server_is_asked_when_one_refuses() throws Exception {
        try (ScriptedServer refusing = new ScriptedServer(query -> List.of(refusal(query)));
                ScriptedServer speaking = new ScriptedServer(ScriptedServer.always(RECORD))) {
            Forwarder forwarder = new Forwarder(to(refusing.address(), speaking.address()), FOR_ONE);

            assertThat(forwarder.ask(WWW).getSection(Section.ANSWER)).hasSize(1);
        }
    }

    @Test
    void the_refusal_stands_when_nobody_does_better() throws Exception {
        try (ScriptedServer refusing = new ScriptedServer(query -> List.of(refusal(query)))) {
            Forwarder forwarder = new Forwarder(to(refusing.address()), FOR_ONE);

            assertThat(forwarder.ask(WWW).getRcode()).isEqualTo(Rcode.REFUSED);
        }
    }

    @Test
    void a_server_that_takes_longer_than_its_turn_is_still_heard() throws Exception {
        try (ScriptedServer slow = ScriptedServer.answeringTheFirst(3, RECORD)) {
            Forwarder forwarder = new Forwarder(to(slow.address()), FOR_ONE);

            assertThat(forwarder.ask(WWW).getSection(Section.ANSWER)).hasSize(1);
            assertThat(slow.asked()).hasSize(3);
        }
    }

    @Test
    void a_slow_server_is_heard_while_others_are_asked() throws Exception {
        try (ScriptedServer slow = ScriptedServer.answeringTheFirst(2, RECORD);
                ScriptedServer silent = new ScriptedServer(ScriptedServer.silence())) {
            Forwarder forwarder = new Forwarder(to(slow.address(), silent.address()), FOR_ONE);

            assertThat(forwarder.ask(WWW).getSection(Section.ANSWER)).hasSize(1);
        }
    }

    @Test
    void a_refusal_by_one_server_is_not_the_end_of_a_slow_one() throws Exception {
        try (ScriptedServer slow = ScriptedServer.answeringTheFirst(3, RECORD);
                ScriptedServer refusing = new ScriptedServer(query -> List.of(refusal(query)))) {
            Forwarder forwarder = new Forwarder(to(slow.address(), refusing.address()), FOR_ONE);

            assertThat(forwarder.ask(WWW).getSection(Section.ANSWER)).hasSize(1);
            assertThat(refusing.asked()).hasSize(1);
        }
    }

    @Test
    void an_unreachable_server_leaves_a_slow_one_its_time() throws Exception {
        InetSocketAddress closed;
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.silence())) {
            closed = server.address();
        }
        try (ScriptedServer slow = ScriptedServer.answeringTheFirst(3, RECORD)) {
            Forwarder forwarder = new Forwarder(to(slow.address(), closed), FOR_ONE);

            assertThat(forwarder.ask(WWW).getSection(Section.ANSWER)).hasSize(1);
        }
    }

    @Test
    void a_truncated_answer_is_fetched_by_tcp() throws Exception {
        try (ScriptedServer server =
                new ScriptedServer(query -> List.of(truncated(query)), ScriptedServer.always(RECORD))) {
            Forwarder forwarder = new Forwarder(to(server.address()), FOR_ONE);

            assertThat(forwarder.ask(WWW).getSection(Section.ANSWER)).hasSize(1);
            assertThat(server.asked()).containsExactly("udp www.example.net.", "tcp www.example.net.");
        }
    }

    @Test
    void a_server_whose_whole_answer_cannot_be_fetched_leaves_time_for_the_next() throws Exception {
        try (ScriptedServer half = new ScriptedServer(query -> List.of(truncated(query)), ScriptedServer.silence());
                ScriptedServer whole = new ScriptedServer(ScriptedServer.always(RECORD))) {
            Forwarder forwarder = new Forwarder(to(half.address(), whole.address()), FOR_ONE);

            assertThat(forwarder.ask(WWW).getSection(Section.ANSWER)).hasSize(1);
        }
    }

    @Test
    void nobody_answering_is_an_answer_too() throws IOException {
        try (ScriptedServer silent = new ScriptedServer(ScriptedServer.silence())) {
            Forwarder forwarder = new Forwarder(to(silent.address()), SHORT);

            assertThatThrownBy(() -> forwarder.ask(WWW))
                    .isInstanceOf(NoAnswerException.class)
                    .hasMessage("no response from 127.0.0.1");
            assertThat(silent.asked()).hasSizeGreaterThan(1);
        }
    }

    @Test
    void who_is_unreachable_is_not_asked_again_and_again() throws IOException {
        InetSocketAddress closed;
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.silence())) {
            closed = server.address();
        }
        Forwarder forwarder = new Forwarder(to(closed), new Patience(Duration.ofSeconds(10), Duration.ofSeconds(20)));

        assertThatThrownBy(() -> forwarder.ask(WWW)).hasMessageContaining("connection refused");
    }

    @Test
    void without_servers_nothing_is_asked() {
        assertThatThrownBy(() -> new Forwarder(Upstreams.NONE, SHORT).ask(WWW))
                .hasMessage("no DNS server is configured");
    }

    private static Upstreams to(InetSocketAddress... servers) {
        return new Upstreams(List.of(servers), Egress.ANY);
    }

    private static Message truncated(Message query) {
        Message truncated = ScriptedServer.answer(query);
        truncated.getHeader().setFlag(Flags.TC);
        return truncated;
    }

    private static Message refusal(Message query) {
        Message refusal = ScriptedServer.answer(query);
        refusal.getHeader().setRcode(Rcode.REFUSED);
        return refusal;
    }
}
