package io.culvert.lab;

import io.culvert.ip.Prefix;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Locale;
import java.util.Optional;
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
 * What the internet's resolver was asked.
 *
 * @param name with a final dot
 * @param type such as {@code AAAA}
 * @param transport {@code udp} or {@code tcp}
 * @param asker the address it came from
 */
public record DnsQuestion(String name, String type, String transport, String asker) {

    private static final long TTL = 1;

    /**
     * Remembers the question and answers it: every name below {@code example.} is the server, except {@code provider0.} and {@code headscale.}.
     *
     * @param moved the IPv4 address that a name stands for now, where it is another one
     */
    static byte[] answer(
            byte[] wire,
            InetAddress asker,
            String transport,
            Function<String, Optional<String>> moved,
            Consumer<DnsQuestion> memory)
            throws IOException {
        Message query = new Message(wire);
        Record question = query.getQuestion();
        if (question == null) {
            throw new IOException("a query without a question");
        }
        Name name = question.getName();
        memory.accept(new DnsQuestion(name.toString(), Type.string(question.getType()), transport, Prefix.text(asker)));
        Message answer = new Message(query.getHeader().getID());
        answer.getHeader().setFlag(Flags.QR);
        answer.getHeader().setFlag(Flags.RD);
        answer.getHeader().setFlag(Flags.RA);
        answer.addRecord(question, Section.QUESTION);
        String text = name.toString(true).toLowerCase(Locale.ROOT);
        if (!text.endsWith(".example")) {
            answer.getHeader().setRcode(Rcode.NXDOMAIN);
            return answer.toWire();
        }
        switch (question.getType()) {
            case Type.A ->
                answer.addRecord(
                        new ARecord(
                                name,
                                DClass.IN,
                                text.startsWith("rebind") ? 0 : TTL,
                                InetAddress.getByName(moved.apply(text).orElse(address4(text)))),
                        Section.ANSWER);
            case Type.AAAA ->
                answer.addRecord(
                        new AAAARecord(name, DClass.IN, TTL, InetAddress.getByName(address6(text))), Section.ANSWER);
            default -> {}
        }
        return answer.toWire();
    }

    /** An answer with this IPv4 address, and with none to a question for another type. */
    static byte[] address(Message query, String address) throws IOException {
        Record question = query.getQuestion();
        Message answer = new Message(query.getHeader().getID());
        answer.getHeader().setFlag(Flags.QR);
        answer.getHeader().setFlag(Flags.RA);
        answer.addRecord(question, Section.QUESTION);
        if (question.getType() == Type.A) {
            answer.addRecord(
                    new ARecord(question.getName(), DClass.IN, TTL, InetAddress.getByName(address)), Section.ANSWER);
        }
        return answer.toWire();
    }

    private static String address4(String name) {
        return isProvider(name)
                ? Provider.outer4(number(name))
                : name.equals(Headscale.NAME) ? Headscale.ADDRESS_4 : Lab.SERVER_4;
    }

    private static String address6(String name) {
        return isProvider(name)
                ? Provider.outer6(number(name))
                : name.equals(Headscale.NAME) ? Headscale.ADDRESS_6 : Lab.SERVER_6;
    }

    private static boolean isProvider(String name) {
        return name.matches("provider[0-9]\\.example");
    }

    private static int number(String provider) {
        return provider.charAt("provider".length()) - '0';
    }
}
