package io.culvert.lab;

import io.culvert.ip.Prefix;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One Ethernet frame, as far as a judge of leaks needs it.
 *
 * @param sender the sender's MAC address
 * @param etherType 0x0800 and 0x86dd are IP, 0x0806 is ARP
 * @param source the IP source, null when it is not IP
 * @param destination the IP destination, null when it is not IP
 * @param protocol the transport's number, such as 6, 17, 58; -1 when it is not IP
 * @param sourcePort of TCP and UDP; the type of ICMP; else 0
 * @param destinationPort of TCP and UDP, else 0
 * @param payload what follows the UDP header, the beginning of other transports' data, a character per byte; may be cut short
 * @param payloadLength the length of it in full
 */
public record Packet(
        String sender,
        int etherType,
        @Nullable InetAddress source,
        @Nullable InetAddress destination,
        int protocol,
        int sourcePort,
        int destinationPort,
        String payload,
        int payloadLength) {

    static final int IPV4 = 0x0800;
    static final int IPV6 = 0x86dd;
    static final int ARP = 0x0806;
    static final int TCP = 6;
    static final int UDP = 17;
    static final int ICMPV6 = 58;
    private static final Set<Integer> IPV6_OPTIONS = Set.of(0, 43, 60);
    private static final int FRAGMENT = 44;

    /** Reads a frame that may be cut short. */
    static Packet of(byte[] frame) {
        ByteBuffer in = ByteBuffer.wrap(frame);
        in.position(6);
        byte[] mac = new byte[6];
        in.get(mac);
        String sender = HexFormat.ofDelimiter(":").formatHex(mac);
        int etherType = in.getShort() & 0xffff;
        return switch (etherType) {
            case IPV4 -> ipv4(sender, in);
            case IPV6 -> ipv6(sender, in);
            default -> new Packet(sender, etherType, null, null, -1, 0, 0, rest(in), in.remaining());
        };
    }

    private static Packet ipv4(String sender, ByteBuffer in) {
        int start = in.position();
        int header = (in.get(start) & 0xf) * 4;
        int length = in.getShort(start + 2) & 0xffff;
        boolean first = (in.getShort(start + 6) & 0x1fff) == 0;
        int protocol = in.get(start + 9) & 0xff;
        InetAddress source = address(in, start + 12, 4);
        InetAddress destination = address(in, start + 16, 4);
        in.position(start + header);
        return transport(sender, IPV4, source, destination, protocol, first, length - header, in);
    }

    private static Packet ipv6(String sender, ByteBuffer in) {
        int start = in.position();
        int length = in.getShort(start + 4) & 0xffff;
        int protocol = in.get(start + 6) & 0xff;
        InetAddress source = address(in, start + 8, 16);
        InetAddress destination = address(in, start + 24, 16);
        in.position(start + 40);
        boolean first = true;
        while ((IPV6_OPTIONS.contains(protocol) || protocol == FRAGMENT) && in.remaining() >= 8) {
            int header = protocol == FRAGMENT ? 8 : ((in.get(in.position() + 1) & 0xff) + 1) * 8;
            first &= protocol != FRAGMENT || (in.getShort(in.position() + 2) & 0xfff8) == 0;
            protocol = in.get(in.position()) & 0xff;
            length -= header;
            in.position(Math.min(in.limit(), in.position() + header));
        }
        return transport(sender, IPV6, source, destination, protocol, first, length, in);
    }

    private static Packet transport(
            String sender,
            int etherType,
            InetAddress source,
            InetAddress destination,
            int protocol,
            boolean first,
            int length,
            ByteBuffer in) {
        int at = in.position();
        boolean ports = first && (protocol == TCP || protocol == UDP) && in.remaining() >= 8;
        boolean icmp = first && (protocol == 1 || protocol == ICMPV6) && in.remaining() >= 1;
        int sourcePort = ports ? in.getShort(at) & 0xffff : icmp ? in.get(at) & 0xff : 0;
        int destinationPort = ports ? in.getShort(at + 2) & 0xffff : 0;
        int skipped = ports && protocol == UDP ? 8 : 0;
        in.position(at + skipped);
        return new Packet(
                sender,
                etherType,
                source,
                destination,
                protocol,
                sourcePort,
                destinationPort,
                rest(in),
                length - skipped);
    }

    private static String rest(ByteBuffer in) {
        byte[] rest = new byte[in.remaining()];
        in.get(in.position(), rest);
        return new String(rest, StandardCharsets.ISO_8859_1);
    }

    private static InetAddress address(ByteBuffer in, int at, int length) {
        byte[] bytes = new byte[length];
        in.get(at, bytes);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    public boolean isTo(String address) {
        return address.equals(text(destination));
    }

    /** Is it to one of the documentation's addresses, of which the whole lab is made (RFC 5737, RFC 3849)? */
    public boolean isToLab() {
        String to = text(destination);
        return Stream.of("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:").anyMatch(to::startsWith);
    }

    /** Is it to this address and port, by UDP? */
    public boolean isUdpTo(String address, int port) {
        return protocol == UDP && destinationPort == port && isTo(address);
    }

    /** Is it to this address and port, by TCP? */
    public boolean isTcpTo(String address, int port) {
        return protocol == TCP && destinationPort == port && isTo(address);
    }

    /** Is it the first of a TCP connection: SYN without ACK (RFC 9293, section 3.1)? */
    boolean beginsConnection() {
        return protocol == TCP && payload.length() > 13 && (payload.charAt(13) & 0x12) == 0x02;
    }

    /** Its two ends, as text: packets of one connection have the same; empty when it is not TCP. */
    String connection() {
        return protocol == TCP ? text(source) + " " + sourcePort + " " + text(destination) + " " + destinationPort : "";
    }

    /** Is it from this port, by TCP? */
    public boolean isTcpFrom(int port) {
        return protocol == TCP && sourcePort == port;
    }

    /**
     * Is its payload one of WireGuard's four messages, by its type, its three zero bytes and its length? (The protocol's
     * paper, section 5.4: 148, 92 and 64 bytes, and data in steps of 16 from 32.)
     */
    public boolean isWireGuard() {
        if (protocol != UDP || payload.length() < 4 || !payload.startsWith("\0\0\0", 1)) {
            return false;
        }
        return switch (payload.charAt(0)) {
            case 1 -> payloadLength == 148;
            case 2 -> payloadLength == 92;
            case 3 -> payloadLength == 64;
            case 4 -> payloadLength >= 32 && payloadLength % 16 == 0;
            default -> false;
        };
    }

    /** Is its payload one with which Tailscale's nodes find ways to each other? (disco/disco.go: six bytes of magic.) */
    public boolean isDisco() {
        return protocol == UDP && payload.startsWith("TS\u00f0\u009f\u0092\u00ac");
    }

    /**
     * Is it what any host says to its own network: ARP, or IPv6 neighbour, router and multicast listener discovery (ICMPv6
     * types 133 to 136, and 143)?
     */
    public boolean isNeighbourDiscovery() {
        boolean discovery = (sourcePort >= 133 && sourcePort <= 136) || sourcePort == 143;
        return etherType == ARP || (protocol == ICMPV6 && discovery);
    }

    /** Who to whom, without what differs from packet to packet of one conversation. */
    public String summary() {
        if (source == null) {
            return "frame of type 0x%04x from %s".formatted(etherType, sender);
        }
        String from = text(source);
        String to = text(destination);
        return switch (protocol) {
            case TCP -> "TCP " + from + " to " + to + " port " + destinationPort;
            case UDP -> "UDP " + from + " to " + to + " port " + destinationPort;
            case 1 -> "ICMP type " + sourcePort + " " + from + " to " + to;
            case ICMPV6 -> "ICMPv6 type " + sourcePort + " " + from + " to " + to;
            default -> "IP protocol " + protocol + " " + from + " to " + to;
        };
    }

    private static String text(@Nullable InetAddress address) {
        return address == null ? "" : Prefix.text(address);
    }
}
