package io.culvert.dns;

import io.culvert.ip.Transport;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/**
 * Parses a query, which may be any bytes, and returns the encoded response. Queries that cannot be forwarded are
 * refused; {@code localhost} is answered locally (RFC 6761 section 6.3).
 */
final class Responder {

    /** For clients without EDNS (RFC 1035 section 4.2.1). */
    private static final int PLAIN_PAYLOAD = 512;

    private static final int LARGEST = 65535;
    private static final int COPIED_SECTIONS = Section.ADDITIONAL + 1;
    private static final long LOCAL_SECONDS = 3600;
    private static final int NO_EXTENDED_CODE = -1;

    private final Name localhost = Name.fromConstantString("localhost.");
    private final Answering answering;

    Responder(Answering answering) {
        this.answering = answering;
    }

    /** Returns the response to send; empty if none is to be sent. */
    Optional<byte[]> respond(byte[] request, Transport transport) {
        if (request.length < Header.LENGTH) {
            return Optional.empty();
        }
        Header header;
        Message query;
        try {
            header = new Header(request);
            if (header.getFlag(Flags.QR)) {
                // Responding to responses would cause an endless loop.
                return Optional.empty();
            }
            query = new Message(request);
        } catch (IOException | RuntimeException _) {
            return Optional.of(unreadable(request).toWire());
        }
        Message reply;
        try {
            reply = reply(query);
        } catch (RuntimeException e) {
            // A bug in Culvert; the client must not wait for a timeout.
            reply = failure(query, Rcode.SERVFAIL, ExtendedErrorCodeOption.OTHER, String.valueOf(e));
        }
        return Optional.of(reply.toWire(transport == Transport.TCP ? LARGEST : payload(query)));
    }

    private Message reply(Message query) {
        OPTRecord edns = query.getOPT();
        if (query.getHeader().getOpcode() != Opcode.QUERY) {
            return failure(query, Rcode.NOTIMP, NO_EXTENDED_CODE, "");
        }
        if (query.getSection(Section.QUESTION).size() != 1) {
            return failure(query, Rcode.FORMERR, NO_EXTENDED_CODE, "");
        }
        if (edns != null && edns.getVersion() != 0) {
            return failure(query, Rcode.BADVERS, NO_EXTENDED_CODE, "");
        }
        Record asked = query.getQuestion();
        if (asked.getDClass() != DClass.IN || isTransfer(asked.getType())) {
            return failure(query, Rcode.REFUSED, ExtendedErrorCodeOption.NOT_SUPPORTED, "");
        }
        if (asked.getName().subdomain(localhost)) {
            return local(query, asked);
        }
        try {
            return copy(
                    query,
                    answering.answer(Question.of(query), query.getHeader().getID()));
        } catch (NoAnswerException e) {
            return failure(query, Rcode.SERVFAIL, e.extendedCode(), e.why());
        }
    }

    private static boolean isTransfer(int type) {
        return type == Type.AXFR || type == Type.IXFR;
    }

    private static Message local(Message query, Record asked) {
        Message reply = start(query, Rcode.NOERROR);
        Name name = asked.getName();
        if (asked.getType() == Type.A || asked.getType() == Type.ANY) {
            reply.addRecord(new ARecord(name, DClass.IN, LOCAL_SECONDS, loopback4()), Section.ANSWER);
        }
        if (asked.getType() == Type.AAAA || asked.getType() == Type.ANY) {
            reply.addRecord(new AAAARecord(name, DClass.IN, LOCAL_SECONDS, loopback6()), Section.ANSWER);
        }
        return finish(query, reply, Rcode.NOERROR, List.of());
    }

    private static Message copy(Message query, Message answer) {
        int code = answer.getRcode();
        Message reply = start(query, code);
        if (answer.getHeader().getFlag(Flags.AD)) {
            reply.getHeader().setFlag(Flags.AD);
        }
        for (int section = Section.ANSWER; section < COPIED_SECTIONS; section++) {
            for (Record record : answer.getSection(section)) {
                if (!(record instanceof OPTRecord)) {
                    reply.addRecord(record, section);
                }
            }
        }
        return finish(query, reply, code, List.of());
    }

    private static Message failure(Message query, int code, int extendedCode, String why) {
        List<EDNSOption> reason =
                extendedCode == NO_EXTENDED_CODE ? List.of() : List.of(new ExtendedErrorCodeOption(extendedCode, why));
        return finish(query, start(query, code), code, reason);
    }

    private static Message start(Message query, int code) {
        Message reply = new Message(query.getHeader().getID());
        Header header = reply.getHeader();
        header.setOpcode(query.getHeader().getOpcode());
        header.setFlag(Flags.QR);
        header.setFlag(Flags.RA);
        for (int flag : new int[] {Flags.RD, Flags.CD}) {
            if (query.getHeader().getFlag(flag)) {
                header.setFlag(flag);
            }
        }
        header.setRcode(code & 0xf);
        query.getSection(Section.QUESTION).forEach(question -> reply.addRecord(question, Section.QUESTION));
        return reply;
    }

    /** Adds EDNS if the client uses it; it has the upper bits of the response code too (RFC 6891 section 6.1.3). */
    private static Message finish(Message query, Message reply, int code, List<EDNSOption> options) {
        OPTRecord edns = query.getOPT();
        if (edns != null) {
            int flags = edns.getFlags() & ExtendedFlags.DO;
            reply.addRecord(new OPTRecord(Question.PAYLOAD, code >> 4, 0, flags, options), Section.ADDITIONAL);
        }
        return reply;
    }

    private static Message unreadable(byte[] request) {
        Message reply = new Message((request[0] & 0xff) << 8 | (request[1] & 0xff));
        reply.getHeader().setFlag(Flags.QR);
        reply.getHeader().setRcode(Rcode.FORMERR);
        return reply;
    }

    private static int payload(Message query) {
        OPTRecord edns = query.getOPT();
        return edns == null ? PLAIN_PAYLOAD : Math.clamp(edns.getPayloadSize(), PLAIN_PAYLOAD, Question.PAYLOAD);
    }

    private static InetAddress loopback4() {
        return Inet4Address.ofLiteral("127.0.0.1");
    }

    private static InetAddress loopback6() {
        return Inet6Address.ofLiteral("::1");
    }
}
