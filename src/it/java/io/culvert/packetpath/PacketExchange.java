// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.LastErrorException;
import io.culvert.lab.PacketSocket;
import io.culvert.lab.TestLibc;
import io.culvert.linux.TestNamespace;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A namespace whose links lead to another one, in which it is observed where packets leave. Each packet carries its number in
 * its data.
 */
public final class PacketExchange implements AutoCloseable {

    /**
     * What the kernel did with a packet.
     *
     * @param isSent whether there was a socket with an address to send it
     * @param link that it left by
     * @param wire how it looked then
     * @param isDelivered whether a raw socket inside got it
     * @param source which the kernel chose for the socket
     * @param error of the system call; empty if it succeeded
     */
    public record Outcome(
            boolean isSent,
            Optional<String> link,
            Optional<Wire> wire,
            boolean isDelivered,
            Optional<InetAddress> source,
            String error) {}

    /** A packet as it was seen outside. */
    public record Wire(
            int number,
            InetAddress source,
            InetAddress destination,
            int protocol,
            int sourcePort,
            int destinationPort) {}

    /** include/uapi/asm-generic/socket.h, bits/socket.h, linux/in6.h. */
    private static final int SOL_SOCKET = 1;

    private static final int SO_REUSEADDR = 2;
    private static final int SO_BROADCAST = 6;
    private static final int SO_BINDTODEVICE = 25;
    private static final int SO_RCVBUFFORCE = 33;
    private static final int SO_MARK = 36;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_RAW = 3;
    private static final int SOCK_CLOEXEC = 02000000;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_FASTOPEN = 0x20000000;
    private static final int EAGAIN = 11;
    private static final int EADDRNOTAVAIL = 99;
    private static final int AF_PACKET = 17;

    private static final int ETH_P_IP = 0x0800;
    private static final int ETH_P_IPV6 = 0x86dd;

    /** IEEE 802's local experimental ethertype. */
    private static final int ETH_P_LOCAL = 0x88b5;

    private static final int MAGIC = 0x43756c76;
    private static final int ETHERNET_HEADER = 14;
    private static final int RECEIVE_BUFFER = 8 << 20;

    /**
     * A link between the namespaces.
     *
     * @param mac of its inner end
     * @param outside observes it, and sends packets from outside
     * @param marker the file descriptor of a socket that sends frames from inside
     */
    private record Cable(String link, String mac, PacketSocket outside, int marker) {}

    private final TestNamespace inside = new TestNamespace();
    private final TestNamespace outside = new TestNamespace();
    private final List<Cable> cables = new ArrayList<>();
    private final List<Integer> receivers = new ArrayList<>();
    private int round;

    /** Creates one with the links of random namespaces. */
    PacketExchange() {
        this(RandomNamespace.LINKS);
        inside.run("ip", "link", "set", "eth1", "group", "7");
    }

    /** Creates one with these links; none of them has an address. */
    public PacketExchange(List<String> links) {
        outside.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
        inside.run("sh", "-c", """
                cd /proc/sys/net
                echo 1 > ipv4/ip_forward; echo 1 > ipv6/conf/all/forwarding
                echo 5 > ipv4/tcp_fastopen
                for conf in all default; do
                  echo 0 > ipv4/conf/$conf/rp_filter; echo 0 > ipv4/conf/$conf/send_redirects
                  echo 1 > ipv6/conf/$conf/addr_gen_mode 2> /dev/null; echo 1 > ipv6/conf/$conf/forwarding
                done
                """);
        for (String link : links) {
            inside.connect(link, outside, link);
            inside.run("ip", "link", "set", link, "arp", "off");
            outside.run("ip", "link", "set", link, "arp", "off");
        }
        for (String link : links) {
            PacketSocket observer = outside.inside(() -> PacketSocket.on(link));
            cables.add(new Cable(link, mac(link), observer, inside.inside(() -> markerSocket(link))));
        }
        inside.step(this::openReceivers);
    }

    private String mac(String link) {
        Matcher mac = Pattern.compile("link/ether ([0-9a-f:]+)").matcher(inside.run("ip", "link", "show", "dev", link));
        assertThat(mac.find()).isTrue();
        return mac.group(1);
    }

    /** Opens a socket that sends whole frames; with protocol 0, it receives none. */
    private static int markerSocket(String link) {
        int fd = TestLibc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        byte[] address = ByteBuffer.allocate(20)
                .order(ByteOrder.nativeOrder())
                .putShort((short) AF_PACKET)
                .putShort((short) 0)
                .putInt(TestLibc.if_nametoindex(link))
                .array();
        TestLibc.bind(fd, address, address.length);
        return fd;
    }

    private Cable cable(String link) {
        return cables.stream()
                .filter(cable -> cable.link().equals(link))
                .findFirst()
                .orElseThrow();
    }

    /** Runs code inside, which may send packets. */
    public <T> T inside(Callable<T> code) {
        return inside.inside(() -> {
            // On one processor, packets of different system calls do not overtake each other.
            byte[] processors = new byte[128];
            processors[0] = 1;
            TestLibc.sched_setaffinity(0, processors.length, processors);
            return code.call();
        });
    }

    private void openReceivers() {
        for (Family family : Family.values()) {
            for (int protocol : new int[] {
                PacketCase.UDP, PacketCase.TCP, family == Family.IPV4 ? PacketCase.ICMP : PacketCase.ICMPV6
            }) {
                int fd = TestLibc.socket(family.number(), SOCK_RAW | SOCK_CLOEXEC, protocol);
                option(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER);
                receivers.add(fd);
            }
        }
    }

    /** Sends packets, waits until all of them have taken their way, and returns their outcomes. Must be called {@link #inside}. */
    public List<Outcome> exchange(List<PacketCase> packets) {
        Map<Integer, Outcome> outcomes = new HashMap<>();
        for (PacketCase packet : packets) {
            if (packet.kind() == PacketCase.Kind.RECEIVED) {
                Cable cable = cable(packet.link().orElseThrow());
                cable.outside().send(frame(packet, cable.mac()));
                outcomes.put(
                        packet.number(),
                        new Outcome(true, Optional.empty(), Optional.empty(), false, Optional.empty(), ""));
            } else {
                outcomes.put(packet.number(), send(packet));
            }
        }
        // Behind the first marker, all packets from outside have been routed; behind the second, they have left.
        collect(outcomes);
        collect(outcomes);
        for (int fd : receivers) {
            for (Optional<byte[]> data = receive(fd); data.isPresent(); data = receive(fd)) {
                int header = receivers.indexOf(fd) < 3 ? (data.get()[0] & 15) * 4 : 0;
                int protocol = List.of(
                                PacketCase.UDP,
                                PacketCase.TCP,
                                PacketCase.ICMP,
                                PacketCase.UDP,
                                PacketCase.TCP,
                                PacketCase.ICMPV6)
                        .get(receivers.indexOf(fd));
                number(data.get(), header, protocol)
                        .ifPresent(number -> outcomes.computeIfPresent(
                                number,
                                (_, it) -> new Outcome(true, it.link(), it.wire(), true, it.source(), it.error())));
            }
        }
        return packets.stream()
                .map(packet -> Objects.requireNonNull(outcomes.get(packet.number())))
                .toList();
    }

    private void collect(Map<Integer, Outcome> outcomes) {
        round++;
        byte[] marker = ByteBuffer.allocate(60)
                .put(ETHERNET_HEADER - 2, (byte) (ETH_P_LOCAL >> 8))
                .put(ETHERNET_HEADER - 1, (byte) ETH_P_LOCAL)
                .putInt(ETHERNET_HEADER, round)
                .array();
        for (Cable cable : cables) {
            try {
                TestLibc.send(cable.marker(), marker, marker.length, 0);
            } catch (LastErrorException e) {
                // The link is down: nothing leaves by it.
                continue;
            }
            while (true) {
                byte[] frame = cable.outside().receive();
                ByteBuffer buffer = ByteBuffer.wrap(frame);
                if (frame.length > ETHERNET_HEADER + 4
                        && type(frame) == ETH_P_LOCAL
                        && buffer.getInt(ETHERNET_HEADER) == round) {
                    break;
                }
                wire(frame)
                        .ifPresent(wire ->
                                outcomes.computeIfPresent(wire.number(), (_, it) -> leaving(it, cable.link(), wire)));
            }
        }
    }

    private static Outcome leaving(Outcome outcome, String link, Wire wire) {
        assertThat(outcome.link()).as("a packet leaves once").isEmpty();
        return new Outcome(
                true, Optional.of(link), Optional.of(wire), outcome.isDelivered(), outcome.source(), outcome.error());
    }

    private static int type(byte[] frame) {
        return Short.toUnsignedInt(ByteBuffer.wrap(frame).getShort(ETHERNET_HEADER - 2));
    }

    private static Optional<Wire> wire(byte[] frame) {
        boolean isIpv4 = type(frame) == ETH_P_IP;
        if (!isIpv4 && type(frame) != ETH_P_IPV6) {
            return Optional.empty();
        }
        int start = ETHERNET_HEADER;
        int protocol = frame[start + (isIpv4 ? 9 : 6)];
        int transport = start + (isIpv4 ? (frame[start] & 15) * 4 : 40);
        int addresses = start + (isIpv4 ? 12 : 8);
        int length = isIpv4 ? 4 : 16;
        boolean isIcmp = protocol == PacketCase.ICMP || protocol == PacketCase.ICMPV6;
        ByteBuffer buffer = ByteBuffer.wrap(frame);
        return number(frame, transport, protocol)
                .filter(_ -> !macIsOurs(frame))
                .map(number -> new Wire(
                        number,
                        address(Arrays.copyOfRange(frame, addresses, addresses + length)),
                        address(Arrays.copyOfRange(frame, addresses + length, addresses + 2 * length)),
                        protocol,
                        isIcmp ? 0 : Short.toUnsignedInt(buffer.getShort(transport)),
                        isIcmp ? 0 : Short.toUnsignedInt(buffer.getShort(transport + 2))));
    }

    /** The frames that are sent from outside have this source, whose first byte no link has. */
    private static boolean macIsOurs(byte[] frame) {
        return frame[6] == 0x06 && frame[7] == 0x43;
    }

    private static InetAddress address(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** Returns the number in the data of a packet, unless it is a reply. */
    private static Optional<Integer> number(byte[] packet, int transport, int protocol) {
        int data = transport
                + switch (protocol) {
                    case PacketCase.TCP ->
                        packet.length > transport + 12 ? ((packet[transport + 12] >> 4) & 15) * 4 : 0;
                    default -> 8;
                };
        if (packet.length < data + 8) {
            return Optional.empty();
        }
        boolean isRequest = switch (protocol) {
            case PacketCase.ICMP -> packet[transport] == 8;
            case PacketCase.ICMPV6 -> packet[transport] == (byte) 128;
            default -> true;
        };
        ByteBuffer buffer = ByteBuffer.wrap(packet);
        return isRequest && buffer.getInt(data) == MAGIC ? Optional.of(buffer.getInt(data + 4)) : Optional.empty();
    }

    private static byte[] data(PacketCase packet) {
        return ByteBuffer.allocate(8).putInt(MAGIC).putInt(packet.number()).array();
    }

    private static Outcome send(PacketCase packet) {
        Optional<InetAddress> source = Optional.empty();
        String error = "";
        boolean isSent = false;
        int type = switch (packet.protocol()) {
            case PacketCase.UDP -> SOCK_DGRAM;
            case PacketCase.TCP -> SOCK_STREAM;
            default -> SOCK_RAW;
        };
        TestLibc.setfsuid(packet.user());
        int fd;
        try {
            fd = TestLibc.socket(
                    packet.family().number(), type | SOCK_CLOEXEC, type == SOCK_RAW ? packet.protocol() : 0);
        } finally {
            TestLibc.setfsuid(0);
        }
        try {
            option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
            option(fd, SOL_SOCKET, SO_BROADCAST, 1);
            if (packet.mark() != 0) {
                option(fd, SOL_SOCKET, SO_MARK, (int) packet.mark());
            }
            String any = packet.family() == Family.IPV4 ? "0.0.0.0" : "::";
            byte[] bound = socketAddress(packet.source().orElse(any), type == SOCK_RAW ? 0 : packet.sourcePort());
            TestLibc.bind(fd, bound, bound.length);
            if (packet.link().isPresent()) {
                byte[] name = (packet.link().get() + "\0").getBytes(StandardCharsets.US_ASCII);
                TestLibc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length);
            }
            isSent = true;
            byte[] address = socketAddress(packet.destination(), type == SOCK_RAW ? 0 : packet.destinationPort());
            byte[] data = type == SOCK_RAW ? echoRequest(packet) : data(packet);
            if (type == SOCK_STREAM) {
                try {
                    TestLibc.sendto(fd, data, data.length, MSG_DONTWAIT | MSG_FASTOPEN, address, address.length);
                } finally {
                    source = localAddress(fd, packet.family());
                }
            } else if (packet.kind() == PacketCase.Kind.CONNECTED) {
                TestLibc.connect(fd, address, address.length);
                source = localAddress(fd, packet.family());
                TestLibc.send(fd, data, data.length, MSG_DONTWAIT);
            } else {
                TestLibc.sendto(fd, data, data.length, MSG_DONTWAIT, address, address.length);
            }
        } catch (LastErrorException e) {
            error = e.getMessage() == null ? "?" : e.getMessage();
            // Without an address of this machine to send from, there is no packet.
            isSent &= e.getErrorCode() != EADDRNOTAVAIL;
        } finally {
            TestLibc.close(fd);
        }
        return new Outcome(isSent, Optional.empty(), Optional.empty(), false, source, error);
    }

    private static Optional<InetAddress> localAddress(int fd, Family family) {
        byte[] address = new byte[28];
        TestLibc.getsockname(fd, address, new int[] {address.length});
        InetAddress local =
                address(family == Family.IPV4 ? Arrays.copyOfRange(address, 4, 8) : Arrays.copyOfRange(address, 8, 24));
        return local.isAnyLocalAddress() ? Optional.empty() : Optional.of(local);
    }

    private static byte[] socketAddress(String text, int port) {
        byte[] address = Prefix.parseAddress(text).getAddress();
        ByteBuffer buffer = ByteBuffer.allocate(address.length == 4 ? 16 : 28).order(ByteOrder.nativeOrder());
        buffer.putShort((short) (address.length == 4 ? Family.IPV4 : Family.IPV6).number());
        buffer.order(ByteOrder.BIG_ENDIAN).putShort((short) port);
        if (address.length == 16) {
            buffer.putInt(0);
        }
        return buffer.put(address).array();
    }

    private static void option(int fd, int level, int option, int value) {
        byte[] bytes = ByteBuffer.allocate(4)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
        TestLibc.setsockopt(fd, level, option, bytes, bytes.length);
    }

    private static Optional<byte[]> receive(int fd) {
        byte[] buffer = new byte[512];
        try {
            return Optional.of(Arrays.copyOf(buffer, (int) TestLibc.recv(fd, buffer, buffer.length, MSG_DONTWAIT)));
        } catch (LastErrorException e) {
            if (e.getErrorCode() != EAGAIN) {
                throw e;
            }
            return Optional.empty();
        }
    }

    /** The kernel computes ICMPv6's checksum. */
    static byte[] echoRequest(PacketCase packet) {
        boolean isIpv4 = packet.family() == Family.IPV4;
        ByteBuffer buffer = ByteBuffer.allocate(16)
                .put((byte) (isIpv4 ? 8 : 128))
                .put((byte) 0)
                .putShort((short) 0)
                .putShort((short) packet.sourcePort())
                .putShort((short) 1)
                .put(data(packet));
        if (isIpv4) {
            buffer.putShort(2, checksum(buffer.array(), 0));
        }
        return buffer.array();
    }

    private static byte[] frame(PacketCase packet, String mac) {
        byte[] source = Prefix.parseAddress(packet.source().orElseThrow()).getAddress();
        byte[] destination = Prefix.parseAddress(packet.destination()).getAddress();
        byte[] transport = switch (packet.protocol()) {
            case PacketCase.UDP ->
                ByteBuffer.allocate(16)
                        .putShort((short) packet.sourcePort())
                        .putShort((short) packet.destinationPort())
                        .putShort((short) 16)
                        .putShort((short) 0)
                        .put(data(packet))
                        .array();
            case PacketCase.TCP ->
                ByteBuffer.allocate(28)
                        .putShort((short) packet.sourcePort())
                        .putShort((short) packet.destinationPort())
                        .putInt(packet.number())
                        .putInt(0)
                        .putShort((short) 0x5002)
                        .putShort((short) 1000)
                        .putInt(0)
                        .put(data(packet))
                        .array();
            default -> echoRequest(packet);
        };
        if (packet.protocol() != PacketCase.ICMP) {
            int sum = packet.protocol() + transport.length;
            for (byte[] address : List.of(source, destination)) {
                for (int i = 0; i < address.length; i += 2) {
                    sum += Short.toUnsignedInt(ByteBuffer.wrap(address).getShort(i));
                }
            }
            int position = packet.protocol() == PacketCase.UDP ? 6 : packet.protocol() == PacketCase.TCP ? 16 : 2;
            ByteBuffer.wrap(transport).putShort(position, checksum(transport, sum));
        }
        boolean isIpv4 = packet.family() == Family.IPV4;
        ByteBuffer frame = ByteBuffer.allocate(ETHERNET_HEADER + (isIpv4 ? 20 : 40) + transport.length)
                .put(HexFormat.ofDelimiter(":").parseHex(mac))
                .put(new byte[] {0x06, 0x43, 0, 0, 0, 1})
                .putShort((short) (isIpv4 ? ETH_P_IP : ETH_P_IPV6));
        if (isIpv4) {
            ByteBuffer header = ByteBuffer.allocate(20)
                    .putShort((short) 0x4500)
                    .putShort((short) (20 + transport.length))
                    .putInt(0)
                    .put((byte) 64)
                    .put((byte) packet.protocol())
                    .putShort((short) 0)
                    .put(source)
                    .put(destination);
            header.putShort(10, checksum(header.array(), 0));
            frame.put(header.array());
        } else {
            frame.putInt(0x60000000)
                    .putShort((short) transport.length)
                    .put((byte) packet.protocol())
                    .put((byte) 64)
                    .put(source)
                    .put(destination);
        }
        return frame.put(transport).array();
    }

    private static short checksum(byte[] bytes, int start) {
        int sum = start;
        for (int i = 0; i < bytes.length; i += 2) {
            sum += Short.toUnsignedInt(ByteBuffer.wrap(bytes).getShort(i));
        }
        while (sum >> 16 != 0) {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        int folded = ~sum & 0xffff;
        return (short) (folded == 0 ? 0xffff : folded);
    }

    @Override
    public void close() {
        cables.forEach(cable -> {
            cable.outside().close();
            TestLibc.close(cable.marker());
        });
        receivers.forEach(TestLibc::close);
        inside.close();
        outside.close();
    }
}
