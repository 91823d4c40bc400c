// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.net.Family;
import io.culvert.net.Marks;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A packet as a user describes it. What is left out may be anything.
 *
 * @param from the link that it comes in through; empty if a local process sends it
 * @param protocol IANA's number
 * @param source empty for an address of this machine, or of a packet that comes in, for any
 * @param mark of the socket
 * @param boundLink the link that the socket is bound to
 * @param isReply whether it is a reply to a connection that came in by an uplink
 */
public record PacketQuery(
        Optional<String> from,
        int protocol,
        InetAddress destination,
        OptionalInt destinationPort,
        Optional<InetAddress> source,
        OptionalInt sourcePort,
        long mark,
        Optional<String> boundLink,
        boolean isReply) {

    private static final int TCP = Transport.TCP.number();
    private static final int UDP = Transport.UDP.number();
    private static final int ICMP = 1;
    private static final int ICMPV6 = 58;
    private static final String FORM =
            "[local | from LINK] tcp|udp|icmp ADDRESS[:PORT] [from ADDRESS[:PORT]] [mark NUMBER] [bound LINK] [reply]";

    Family family() {
        return Family.of(destination);
    }

    /**
     * Parses a description such as {@code local tcp 203.0.113.9:443 mark 0x51000000}.
     *
     * @throws ProblemException if it is malformed
     */
    public static PacketQuery parse(String text) {
        return new Words(Arrays.asList(text.strip().split("\\s+")).iterator()).query();
    }

    private static ProblemException malformed(String message, String hint) {
        return new ProblemException(Problem.input(new Location.CommandLine("culvert audit --packet"), message, hint));
    }

    private static final class Words {

        private final Iterator<String> words;
        private Optional<String> from = Optional.empty();
        private Optional<AddressAndPort> source = Optional.empty();
        private long mark;
        private Optional<String> boundLink = Optional.empty();
        private boolean isReply;

        Words(Iterator<String> words) {
            this.words = words;
        }

        PacketQuery query() {
            String word = next("a packet");
            if (word.equals("local")) {
                word = next("a protocol");
            } else if (word.equals("from")) {
                from = Optional.of(next("a link"));
                word = next("a protocol");
            }
            String protocol = word;
            if (!List.of("tcp", "udp", "icmp").contains(protocol)) {
                throw malformed("'" + protocol + "' is not a protocol", "use tcp, udp or icmp");
            }
            AddressAndPort destination = AddressAndPort.parse(next("a destination"));
            int number = number(protocol, Family.of(destination.address()));
            while (words.hasNext()) {
                option(words.next());
            }
            if (source.filter(it -> Family.of(it.address()) != Family.of(destination.address()))
                    .isPresent()) {
                throw malformed(
                        "source and destination are of different address families", "use addresses of one family");
            }
            return new PacketQuery(
                    from,
                    number,
                    destination.address(),
                    destination.port(),
                    source.map(AddressAndPort::address),
                    source.map(AddressAndPort::port).orElse(OptionalInt.empty()),
                    mark,
                    boundLink,
                    isReply);
        }

        private void option(String word) {
            switch (word) {
                case "from" -> source = Optional.of(AddressAndPort.parse(next("a source address")));
                case "mark" -> mark = mark(next("a mark"));
                case "bound" -> boundLink = Optional.of(next("a link"));
                case "reply" -> isReply = true;
                default -> throw malformed("'" + word + "' is not known", "write " + FORM);
            }
        }

        private String next(String what) {
            String word = words.hasNext() ? words.next() : "";
            if (word.isEmpty()) {
                throw malformed(what + " is missing", "write " + FORM);
            }
            return word;
        }

        private static int number(String protocol, Family family) {
            return switch (protocol) {
                case "tcp" -> TCP;
                case "udp" -> UDP;
                default -> family == Family.IPV4 ? ICMP : ICMPV6;
            };
        }

        private static long mark(String text) {
            try {
                long mark = Long.decode(text);
                if (mark >= 0 && mark <= Marks.MAX) {
                    return mark;
                }
            } catch (NumberFormatException _) {
                // Reported below.
            }
            throw malformed("'" + text + "' is not a mark", "use a number from 0 to 0xffffffff, such as 0x51000000");
        }
    }

    private record AddressAndPort(InetAddress address, OptionalInt port) {

        static AddressAndPort parse(String text) {
            int end = text.startsWith("[") ? text.indexOf(']') : text.indexOf(':');
            boolean isIpv6Literal = !text.startsWith("[") && text.indexOf(':') != text.lastIndexOf(':');
            String address = isIpv6Literal || end < 0
                    ? text
                    : text.startsWith("[") ? text.substring(1, end) : text.substring(0, end);
            String rest = isIpv6Literal || end < 0 ? "" : text.substring(text.startsWith("[") ? end + 1 : end);
            OptionalInt port = rest.startsWith(":") ? Port.parseNumber(rest.substring(1)) : OptionalInt.empty();
            if (!rest.isEmpty() && port.isEmpty()) {
                throw malformed(
                        "'" + text + "' has no valid port", "use a port from 1 to 65535, as in 203.0.113.9:443");
            }
            try {
                return new AddressAndPort(Prefix.parseAddress(address), port);
            } catch (IllegalArgumentException e) {
                throw malformed(
                        String.valueOf(e.getMessage()), "use an address, such as 203.0.113.9:443 or [2001:db8::9]:443");
            }
        }
    }

    /** Returns the packet in words. */
    String text() {
        String name = protocol == TCP ? "TCP" : protocol == UDP ? "UDP" : "ICMP";
        StringBuilder text = new StringBuilder(name)
                .append(from.map(link -> " through " + link).orElse(" of a local process"))
                .append(" to ")
                .append(Prefix.text(destination));
        destinationPort.ifPresent(port -> text.append(" port ").append(port));
        source.ifPresent(address -> text.append(" from ").append(Prefix.text(address)));
        sourcePort.ifPresent(port -> text.append(" port ").append(port));
        if (mark != 0) {
            text.append(" with mark 0x").append(Long.toHexString(mark));
        }
        boundLink.ifPresent(link -> text.append(", bound to ").append(link));
        return text.append(isReply ? ", a reply to a connection that came in by an uplink" : "")
                .toString();
    }
}
