// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.net.Transport;
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
    private static final int DEFAULT_PAYLOAD = 512;

    private static final int MAX_MESSAGE_BYTES = 65535;
    private static final int COPIED_SECTIONS = Section.ADDITIONAL + 1;
    private static final long LOCALHOST_TTL = 3600;
    private static final int NO_EXTENDED_CODE = -1;

    private final Name localhost = Name.fromConstantString("localhost.");
    private final QueryHandler handler;

    Responder(QueryHandler handler) {
        this.handler = handler;
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
            return Optional.of(formatError(request).toWire());
        }
        Message reply;
        try {
            reply = reply(query);
        } catch (RuntimeException e) {
            // A bug in Culvert; the client must not wait for a timeout.
            reply = failure(query, Rcode.SERVFAIL, ExtendedErrorCodeOption.OTHER, String.valueOf(e));
        }
        return Optional.of(reply.toWire(transport == Transport.TCP ? MAX_MESSAGE_BYTES : payload(query)));
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
        Record question = query.getQuestion();
        if (question.getDClass() != DClass.IN || isTransfer(question.getType())) {
            return failure(query, Rcode.REFUSED, ExtendedErrorCodeOption.NOT_SUPPORTED, "");
        }
        if (question.getName().subdomain(localhost)) {
            return localhostReply(query, question);
        }
        try {
            return forwardedReply(
                    query, handler.resolve(DnsQuery.of(query), query.getHeader().getID()));
        } catch (NoResponseException e) {
            return failure(query, Rcode.SERVFAIL, e.extendedCode(), e.reason());
        }
    }

    private static boolean isTransfer(int type) {
        return type == Type.AXFR || type == Type.IXFR;
    }

    private static Message localhostReply(Message query, Record question) {
        Message reply = startReply(query, Rcode.NOERROR);
        Name name = question.getName();
        if (question.getType() == Type.A || question.getType() == Type.ANY) {
            reply.addRecord(new ARecord(name, DClass.IN, LOCALHOST_TTL, loopback4()), Section.ANSWER);
        }
        if (question.getType() == Type.AAAA || question.getType() == Type.ANY) {
            reply.addRecord(new AAAARecord(name, DClass.IN, LOCALHOST_TTL, loopback6()), Section.ANSWER);
        }
        return finishReply(query, reply, Rcode.NOERROR, List.of());
    }

    private static Message forwardedReply(Message query, Message response) {
        int code = response.getRcode();
        Message reply = startReply(query, code);
        if (response.getHeader().getFlag(Flags.AD)) {
            reply.getHeader().setFlag(Flags.AD);
        }
        for (int section = Section.ANSWER; section < COPIED_SECTIONS; section++) {
            for (Record record : response.getSection(section)) {
                if (!(record instanceof OPTRecord)) {
                    reply.addRecord(record, section);
                }
            }
        }
        return finishReply(query, reply, code, List.of());
    }

    private static Message failure(Message query, int code, int extendedCode, String why) {
        List<EDNSOption> reason =
                extendedCode == NO_EXTENDED_CODE ? List.of() : List.of(new ExtendedErrorCodeOption(extendedCode, why));
        return finishReply(query, startReply(query, code), code, reason);
    }

    private static Message startReply(Message query, int code) {
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
    private static Message finishReply(Message query, Message reply, int code, List<EDNSOption> options) {
        OPTRecord edns = query.getOPT();
        if (edns != null) {
            int flags = edns.getFlags() & ExtendedFlags.DO;
            reply.addRecord(new OPTRecord(DnsQuery.UDP_PAYLOAD, code >> 4, 0, flags, options), Section.ADDITIONAL);
        }
        return reply;
    }

    private static Message formatError(byte[] request) {
        Message reply = new Message((request[0] & 0xff) << 8 | (request[1] & 0xff));
        reply.getHeader().setFlag(Flags.QR);
        reply.getHeader().setRcode(Rcode.FORMERR);
        return reply;
    }

    private static int payload(Message query) {
        OPTRecord edns = query.getOPT();
        return edns == null
                ? DEFAULT_PAYLOAD
                : Math.clamp(edns.getPayloadSize(), DEFAULT_PAYLOAD, DnsQuery.UDP_PAYLOAD);
    }

    private static InetAddress loopback4() {
        return Inet4Address.ofLiteral("127.0.0.1");
    }

    private static InetAddress loopback6() {
        return Inet6Address.ofLiteral("::1");
    }
}
