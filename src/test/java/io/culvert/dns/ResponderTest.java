// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.net.Transport;
import java.io.IOException;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

class ResponderTest {

    private final Responder responder =
            new Responder((query, _) -> ScriptedServer.answer(query.message(1), "www.example.net. 60 A 192.0.2.80"));

    @Test
    void responses_are_ignored() {
        Message answer = ScriptedServer.query("www.example.net.", Type.A).message(1);
        answer.getHeader().setFlag(Flags.QR);

        assertThat(responder.respond(answer.toWire(), Transport.UDP)).isEmpty();
    }

    @Test
    void an_incomplete_header_is_ignored() {
        assertThat(responder.respond(new byte[11], Transport.UDP)).isEmpty();
    }

    @Test
    void an_invalid_message_gets_FORMERR() throws IOException {
        byte[] query =
                ScriptedServer.query("www.example.net.", Type.A).message(513).toWire();
        query[12] = 63;

        Message answer = new Message(responder.respond(query, Transport.UDP).orElseThrow());

        assertThat(answer.getRcode()).isEqualTo(Rcode.FORMERR);
        assertThat(answer.getHeader().getID()).isEqualTo(513);
    }

    @Test
    void zone_transfers_and_other_classes_are_refused() throws IOException {
        Message transfer = ScriptedServer.query("example.net.", Type.AXFR).message(1);
        Message chaosClassQuery = new Message();
        chaosClassQuery.addRecord(
                Record.newRecord(Name.fromString("version.bind."), Type.TXT, DClass.CH), Section.QUESTION);

        assertThat(code(transfer)).isEqualTo(Rcode.REFUSED);
        assertThat(code(chaosClassQuery)).isEqualTo(Rcode.REFUSED);
    }

    @Test
    void updates_and_later_versions_of_edns_are_not_implemented() throws IOException {
        Message update = ScriptedServer.query("www.example.net.", Type.A).message(1);
        update.getHeader().setOpcode(Opcode.UPDATE);
        Message edns1 = ScriptedServer.query("www.example.net.", Type.A).message(1);
        edns1.addRecord(new OPTRecord(1232, 0, 1), Section.ADDITIONAL);

        assertThat(code(update)).isEqualTo(Rcode.NOTIMP);
        assertThat(code(edns1)).isEqualTo(Rcode.BADVERS);
    }

    /** For any input: at most one response, not longer than allowed, and never an exception. */
    @FuzzTest
    void any_input_gets_a_valid_response_or_none(byte[] request) throws IOException {
        Optional<byte[]> reply = responder.respond(request, Transport.UDP);
        if (reply.isPresent()) {
            Message message = new Message(reply.get());
            assertThat(message.getHeader().getFlag(Flags.QR)).isTrue();
            assertThat(message.getHeader().getID()).isEqualTo((request[0] & 0xff) << 8 | (request[1] & 0xff));
            assertThat(reply.get().length).isLessThanOrEqualTo(65535);
        }
    }

    private int code(Message query) throws IOException {
        return new Message(responder.respond(query.toWire(), Transport.UDP).orElseThrow()).getRcode();
    }
}
