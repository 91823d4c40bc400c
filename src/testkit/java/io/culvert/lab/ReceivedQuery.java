// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Prefix;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Function;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/**
 * A DNS query that a resolver of the lab received.
 *
 * @param name with a final dot
 * @param type such as {@code AAAA}
 * @param transport {@code udp} or {@code tcp}
 * @param sourceAddress the address that it came from
 */
public record ReceivedQuery(String name, String type, String transport, String sourceAddress) {

    private static final long TTL = 1;

    /**
     * Records a query and returns the reply: every name below {@code example.} has the server's addresses, except {@code
     * provider0.} and {@code headscale.}.
     *
     * @param overrides returns the addresses that a test has set for a name
     */
    static byte[] reply(
            byte[] wire,
            InetAddress sourceAddress,
            String transport,
            Function<String, List<String>> overrides,
            Consumer<ReceivedQuery> log)
            throws IOException {
        Message query = new Message(wire);
        Record question = query.getQuestion();
        if (question == null) {
            throw new IOException("a query without a question");
        }
        Name name = question.getName();
        log.accept(new ReceivedQuery(
                name.toString(), Type.string(question.getType()), transport, Prefix.text(sourceAddress)));
        Message reply = new Message(query.getHeader().getID());
        reply.getHeader().setFlag(Flags.QR);
        reply.getHeader().setFlag(Flags.RD);
        reply.getHeader().setFlag(Flags.RA);
        reply.addRecord(question, Section.QUESTION);
        String text = name.toString(true).toLowerCase(Locale.ROOT);
        if (!text.endsWith(".example")) {
            reply.getHeader().setRcode(Rcode.NXDOMAIN);
            return reply.toWire();
        }
        switch (question.getType()) {
            case Type.A -> {
                List<String> set = overrides.apply(text);
                for (String address : set.isEmpty() ? List.of(address4(text)) : set) {
                    if (!address.contains(":")) {
                        reply.addRecord(
                                new ARecord(
                                        name,
                                        DClass.IN,
                                        text.startsWith("rebind") ? 0 : TTL,
                                        InetAddress.getByName(address)),
                                Section.ANSWER);
                    }
                }
            }
            case Type.AAAA -> {
                List<String> set = text.startsWith("pool") ? overrides.apply(text) : List.of(address6(text));
                for (String address : set) {
                    if (address.contains(":")) {
                        reply.addRecord(
                                new AAAARecord(name, DClass.IN, TTL, InetAddress.getByName(address)), Section.ANSWER);
                    }
                }
            }
            default -> {}
        }
        return reply.toWire();
    }

    /** Returns a reply with this IPv4 address, or without an address if the query is not for an A record. */
    static byte[] replyWithAddress(Message query, String address) throws IOException {
        Record question = query.getQuestion();
        Message reply = new Message(query.getHeader().getID());
        reply.getHeader().setFlag(Flags.QR);
        reply.getHeader().setFlag(Flags.RA);
        reply.addRecord(question, Section.QUESTION);
        if (question.getType() == Type.A) {
            reply.addRecord(
                    new ARecord(question.getName(), DClass.IN, TTL, InetAddress.getByName(address)), Section.ANSWER);
        }
        return reply.toWire();
    }

    private static String address4(String name) {
        return isProvider(name)
                ? Provider.publicIpv4(number(name))
                : name.equals(Headscale.NAME) ? Headscale.ADDRESS_IPV4 : Lab.SERVER_IPV4;
    }

    private static String address6(String name) {
        return isProvider(name)
                ? Provider.publicIpv6(number(name))
                : name.equals(Headscale.NAME) ? Headscale.ADDRESS_IPV6 : Lab.SERVER_IPV6;
    }

    private static boolean isProvider(String name) {
        return name.matches("provider[0-9]\\.example");
    }

    private static int number(String provider) {
        return provider.charAt("provider".length()) - '0';
    }
}
