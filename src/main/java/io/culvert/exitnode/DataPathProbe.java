// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.linux.Egress;
import io.culvert.linux.MarkedSocket;
import io.culvert.net.Transport;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/**
 * Sends probes through the tunnel: DNS queries to the tunnel's DNS servers, and echo requests to their addresses, each on
 * a thread of its own per burst. The sockets are bound to the tunnel, so that no probe leaves by another link.
 */
final class DataPathProbe {

    private static final int DNS_PORT = 53;

    /** Of the list of servers; more would only be more packets. */
    private static final int MAX_SERVERS = 2;

    private static final int MAX_RESPONSE = 1500;

    private final SecureRandom random = new SecureRandom();

    /** The index of the channel that was answered last: it is used first, as a provider may answer one kind only. */
    private volatile int answering;

    /** The sending and the receiving of one kind of probe to one server. */
    private interface Channel extends AutoCloseable {

        MarkedSocket socket();

        void send(int number) throws IOException;

        /** Returns the number of the probe that a packet answers; -1 if none. */
        int answered(byte[] packet);

        @Override
        default void close() {
            socket().close();
        }
    }

    /** Runs a burst and passes its result on, on another thread. */
    void run(ProbeBurst burst, List<InetAddress> servers, Egress egress, Consumer<ProbeBurst.Result> finished) {
        Thread.ofPlatform().daemon().name("data-path-probe").start(() -> {
            long begin = System.nanoTime();
            Optional<Duration> roundTrip = run(burst, servers, egress);
            Duration late = Duration.ofNanos(System.nanoTime() - begin).minus(burst.duration());
            finished.accept(new ProbeBurst.Result(burst, roundTrip, late));
        });
    }

    private Optional<Duration> run(ProbeBurst burst, List<InetAddress> servers, Egress egress) {
        List<Channel> channels = new ArrayList<>();
        try {
            for (InetAddress server : servers.stream().limit(MAX_SERVERS).toList()) {
                open(channels, () -> new DnsChannel(server, egress));
                open(channels, () -> new EchoChannel(server, egress));
            }
            if (!channels.isEmpty()) {
                Collections.rotate(channels, -answering);
            }
            return exchange(burst, channels);
        } catch (RuntimeException _) {
            // The tunnel's interface is being replaced.
            return Optional.empty();
        } finally {
            channels.forEach(Channel::close);
        }
    }

    private interface Opening {
        Channel open() throws IOException;
    }

    /** Echo requests are not permitted everywhere (net.ipv4.ping_group_range, icmp(7)). */
    private static void open(List<Channel> channels, Opening opening) {
        try {
            channels.add(opening.open());
        } catch (IOException _) {
            // The other probes are sent.
        }
    }

    private Optional<Duration> exchange(ProbeBurst burst, List<Channel> channels) {
        long[] sentAt = new long[burst.probes()];
        for (int number = 0; number < burst.probes(); number++) {
            sentAt[number] = System.nanoTime();
            if (!channels.isEmpty()) {
                try {
                    channels.get(number % channels.size()).send(number);
                } catch (IOException _) {
                    // Counts as lost.
                }
            }
            Duration wait = number == burst.probes() - 1 ? burst.timeout() : burst.interval();
            Optional<Duration> answered = await(channels, sentAt, sentAt[number] + wait.toNanos());
            if (answered.isPresent()) {
                return answered;
            }
        }
        return Optional.empty();
    }

    private Optional<Duration> await(List<Channel> channels, long[] sentAt, long deadline) {
        byte[] buffer = new byte[MAX_RESPONSE];
        List<Channel> open = new ArrayList<>(channels);
        for (long rest = deadline - System.nanoTime(); rest > 0; rest = deadline - System.nanoTime()) {
            List<MarkedSocket> readable = MarkedSocket.awaitReadable(
                    open.stream().map(Channel::socket).toList(), Duration.ofNanos(rest));
            for (Channel channel : List.copyOf(open)) {
                if (!readable.contains(channel.socket())) {
                    continue;
                }
                try {
                    int length = channel.socket().receive(buffer, Duration.ZERO);
                    int number = channel.answered(Arrays.copyOf(buffer, length));
                    if (number >= 0 && number < sentAt.length && sentAt[number] != 0) {
                        answering = (answering + channels.indexOf(channel)) % channels.size();
                        return Optional.of(Duration.ofNanos(System.nanoTime() - sentAt[number]));
                    }
                } catch (IOException _) {
                    // An ICMP error, which may be of this machine; without reading on, it does not return at once.
                    open.remove(channel);
                }
            }
        }
        return Optional.empty();
    }

    /** Queries for the root zone's SOA record: small, and cached by every resolver. */
    private final class DnsChannel implements Channel {

        private final MarkedSocket socket;
        private final int firstId = random.nextInt(1 << 15);

        DnsChannel(InetAddress server, Egress egress) throws IOException {
            this.socket = MarkedSocket.connect(
                    Transport.UDP, new InetSocketAddress(server, DNS_PORT), egress, Duration.ofSeconds(1));
        }

        @Override
        public MarkedSocket socket() {
            return socket;
        }

        @Override
        public void send(int number) throws IOException {
            Message query = new Message(firstId + number);
            query.getHeader().setFlag(Flags.RD);
            query.addRecord(Record.newRecord(Name.root, Type.SOA, DClass.IN), Section.QUESTION);
            socket.send(query.toWire());
        }

        @Override
        public int answered(byte[] packet) {
            return packet.length >= 12 && (packet[2] & 0x80) != 0
                    ? ByteBuffer.wrap(packet).getShort(0) - firstId
                    : -1;
        }
    }

    /** Echo requests (RFC 792, RFC 4443) with a secret; the kernel sets identifier and checksum. */
    private final class EchoChannel implements Channel {

        private static final int HEADER = 8;
        private static final int SECRET = 8;
        private static final byte REQUEST_4 = 8;
        private static final byte REQUEST_6 = (byte) 128;
        private static final int REPLY_4 = 0;
        private static final int REPLY_6 = 129;

        private final MarkedSocket socket;
        private final boolean ipv6;
        private final byte[] secret = new byte[SECRET];

        EchoChannel(InetAddress server, Egress egress) throws IOException {
            this.socket = MarkedSocket.connectPing(server, egress);
            this.ipv6 = server instanceof Inet6Address;
            random.nextBytes(secret);
        }

        @Override
        public MarkedSocket socket() {
            return socket;
        }

        @Override
        public void send(int number) throws IOException {
            socket.send(ByteBuffer.allocate(HEADER + SECRET)
                    .put(ipv6 ? REQUEST_6 : REQUEST_4)
                    .put((byte) 0)
                    .putShort((short) 0)
                    .putShort((short) 0)
                    .putShort((short) number)
                    .put(secret)
                    .array());
        }

        @Override
        public int answered(byte[] packet) {
            return packet.length == HEADER + SECRET
                            && (packet[0] & 0xff) == (ipv6 ? REPLY_6 : REPLY_4)
                            && Arrays.equals(packet, HEADER, HEADER + SECRET, secret, 0, SECRET)
                    ? ByteBuffer.wrap(packet).getShort(6)
                    : -1;
        }
    }
}
