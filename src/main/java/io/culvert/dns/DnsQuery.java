// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;

/**
 * The parts of a query that the response depends on. Names compare case-insensitively.
 *
 * @param edns whether the client supports EDNS (RFC 6891)
 * @param dnssecOk the DO bit (RFC 3225)
 * @param checkingDisabled the CD bit (RFC 4035)
 */
record DnsQuery(Name name, int type, boolean edns, boolean dnssecOk, boolean checkingDisabled) {

    /** The UDP payload size that avoids fragmentation (DNS flag day 2020). */
    static final int UDP_PAYLOAD = 1232;

    static DnsQuery plain(Name name, int type) {
        return new DnsQuery(name, type, false, false, false);
    }

    /** Returns the question of a query that has exactly one. */
    static DnsQuery of(Message query) {
        Record question = query.getQuestion();
        OPTRecord edns = query.getOPT();
        return new DnsQuery(
                question.getName(),
                question.getType(),
                edns != null,
                edns != null && (edns.getFlags() & ExtendedFlags.DO) != 0,
                query.getHeader().getFlag(Flags.CD));
    }

    /** Returns the query to send, which has nothing of the client's query but the question. */
    Message message(int id) {
        Message query = new Message(id);
        query.getHeader().setFlag(Flags.RD);
        if (checkingDisabled) {
            query.getHeader().setFlag(Flags.CD);
        }
        query.addRecord(record(), Section.QUESTION);
        if (edns) {
            query.addRecord(new OPTRecord(UDP_PAYLOAD, 0, 0, dnssecOk ? ExtendedFlags.DO : 0), Section.ADDITIONAL);
        }
        return query;
    }

    /** Returns whether the message is the response to the query with this id and this question. */
    boolean isAnsweredBy(Message message, int id) {
        Record question = message.getQuestion();
        return message.getHeader().getID() == id
                && message.getHeader().getFlag(Flags.QR)
                && message.getHeader().getOpcode() == Opcode.QUERY
                && message.getSection(Section.QUESTION).size() == 1
                && question.getName().equals(name)
                && question.getType() == type
                && question.getDClass() == DClass.IN;
    }

    Record record() {
        return Record.newRecord(name, type, DClass.IN);
    }
}
