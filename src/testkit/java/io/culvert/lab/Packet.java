// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An Ethernet frame, as far as the detection of leaks needs it.
 *
 * @param sender the sender's MAC address
 * @param etherType 0x0800 and 0x86dd are IP, 0x0806 is ARP
 * @param source the IP source, null when it is not IP
 * @param destination the IP destination, null when it is not IP
 * @param protocol the transport's number, such as 6, 17, 58; -1 when it is not IP
 * @param sourcePort of TCP and UDP; the type of ICMP; else 0
 * @param destinationPort of TCP and UDP, else 0
 * @param payload the data after the UDP header, for other protocols after the IP header, a character per byte; may be truncated
 * @param payloadLength its full length
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
    static final int ICMP = 1;
    static final int TCP = 6;
    static final int UDP = 17;
    static final int ICMPV6 = 58;
    private static final Set<Integer> IPV6_OPTIONS = Set.of(0, 43, 60);
    private static final int FRAGMENT = 44;

    /** RFC 8200, section 5. */
    private static final int LEAST_IPV6_MTU = 1280;

    /** Parses a frame that may be truncated. */
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

    /** Returns whether the text of its destination begins like this. */
    boolean isToPrefix(String prefix) {
        return text(destination).startsWith(prefix);
    }

    boolean isFrom(String address) {
        return address.equals(text(source));
    }

    /** Returns whether it is to an address of the lab, which uses documentation ranges (RFC 5737, RFC 3849). */
    public boolean isToLab() {
        String to = text(destination);
        return Stream.of("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:").anyMatch(to::startsWith);
    }

    /** Returns whether it is a UDP packet to this address and port. */
    public boolean isUdpTo(String address, int port) {
        return protocol == UDP && destinationPort == port && isTo(address);
    }

    /** Returns whether it is a TCP packet to this address and port. */
    public boolean isTcpTo(String address, int port) {
        return protocol == TCP && destinationPort == port && isTo(address);
    }

    /** Returns whether it opens a TCP connection: SYN without ACK (RFC 9293, section 3.1). */
    boolean opensConnection() {
        return protocol == TCP && payload.length() > 13 && (payload.charAt(13) & 0x12) == 0x02;
    }

    /** Returns addresses and ports as text, the same for all packets of a connection in one direction; empty if it is not TCP. */
    String connection() {
        return protocol == TCP ? text(source) + " " + sourcePort + " " + text(destination) + " " + destinationPort : "";
    }

    /** Returns whether it is a TCP packet from this port. */
    public boolean isTcpFrom(int port) {
        return protocol == TCP && sourcePort == port;
    }

    /**
     * Returns whether its payload is one of WireGuard's four messages, by type, reserved bytes and length (WireGuard paper,
     * section 5.4: 148, 92 and 64 bytes, and data messages of 32 bytes or more in steps of 16, except where the padding would exceed
     * the tunnel's MTU).
     */
    public boolean isWireGuard() {
        if (protocol != UDP || payload.length() < 4 || !payload.startsWith("\0\0\0", 1)) {
            return false;
        }
        return switch (payload.charAt(0)) {
            case 1 -> payloadLength == 148;
            case 2 -> payloadLength == 92;
            case 3 -> payloadLength == 64;
            case 4 -> payloadLength >= 32 && (payloadLength % 16 == 0 || payloadLength > LEAST_IPV6_MTU);
            default -> false;
        };
    }

    /** Returns whether its payload is a message of Tailscale's peer discovery (disco/disco.go: six magic bytes). */
    public boolean isDisco() {
        return protocol == UDP && payload.startsWith("TS\u00f0\u009f\u0092\u00ac");
    }

    /**
     * Returns whether it is link-local housekeeping of any host: ARP, or IPv6 neighbour, router and multicast listener discovery
     * (ICMPv6 types 133 to 136, and 143).
     */
    public boolean isNeighbourDiscovery() {
        boolean discovery = (sourcePort >= 133 && sourcePort <= 136) || sourcePort == 143;
        return etherType == ARP || (protocol == ICMPV6 && discovery);
    }

    /** Returns protocol, addresses and destination port: the same for all packets of a flow. */
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
