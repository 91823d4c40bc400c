// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import com.sun.jna.LastErrorException;
import io.culvert.net.Prefix;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A program that tries to send packets outside the tunnel in many ways, and prints the result of each. It needs no replies: the
 * observer must not see its packets.
 */
public final class LeakAttempts {

    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int AF_PACKET = 17;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_RAW = 3;
    private static final int EXPERIMENTAL_PROTOCOL = 253;
    private static final int SOL_SOCKET = 1;
    private static final int SO_BROADCAST = 6;
    private static final int SO_BINDTODEVICE = 25;
    private static final int SO_MARK = 36;
    private static final int DISCARD = 9;
    private static final byte[] PAYLOAD = "leak".getBytes(StandardCharsets.US_ASCII);

    private interface Attempt {
        void make();
    }

    private LeakAttempts() {}

    /** @param args the name of the machine's uplink, which may not exist */
    public static void main(String... args) {
        String uplink = args[0];
        for (String address :
                new String[] {Lab.SERVER_IPV4, Lab.LAN_HOST_IPV4, Lab.ROUTER_IPV4, "192.0.2.63", "203.0.113.10"}) {
            attempt("UDP to " + address, () -> send(socket(AF_INET, SOCK_DGRAM, 0), inet(address)));
            attempt(
                    "raw IP to " + address,
                    () -> send(socket(AF_INET, SOCK_RAW, EXPERIMENTAL_PROTOCOL), inet(address)));
            attempt("UDP by " + uplink + " to " + address, () -> {
                int fd = socket(AF_INET, SOCK_DGRAM, 0);
                byte[] link = (uplink + "\0").getBytes(StandardCharsets.US_ASCII);
                TestLibc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link, link.length);
                send(fd, inet(address));
            });
            attempt("marked UDP to " + address, () -> {
                int fd = socket(AF_INET, SOCK_DGRAM, 0);
                set(fd, SO_MARK, 0x51000000);
                send(fd, inet(address));
            });
        }
        for (String address : new String[] {Lab.SERVER_IPV6, Lab.LAN_HOST_IPV6, Lab.ROUTER_IPV6}) {
            attempt("UDP to " + address, () -> send(socket(AF_INET6, SOCK_DGRAM, 0), inet6(address)));
            attempt(
                    "raw IP to " + address,
                    () -> send(socket(AF_INET6, SOCK_RAW, EXPERIMENTAL_PROTOCOL), inet6(address)));
        }
        attempt("a frame by " + uplink, () -> {
            try (PacketSocket socket = PacketSocket.on(uplink)) {
                socket.send(new byte[60]);
            }
        });
        attempt("a packet by number", () -> {
            int fd = socket(AF_PACKET, SOCK_DGRAM, 0);
            for (int index = 1; index < 20; index++) {
                try {
                    byte[] address = ByteBuffer.allocate(20)
                            .order(ByteOrder.nativeOrder())
                            .putShort((short) AF_PACKET)
                            .order(ByteOrder.BIG_ENDIAN)
                            .putShort((short) 0x88b5)
                            .order(ByteOrder.nativeOrder())
                            .putInt(index)
                            .array();
                    TestLibc.bind(fd, address, address.length);
                    TestLibc.send(fd, PAYLOAD, PAYLOAD.length, 0);
                } catch (LastErrorException e) {
                    // No such link.
                }
            }
        });
    }

    private static void attempt(String description, Attempt attempt) {
        try {
            attempt.make();
            System.out.println(description + ": sent");
        } catch (LastErrorException e) {
            System.out.println(description + ": errno " + e.getErrorCode());
        }
    }

    private static int socket(int family, int type, int protocol) {
        int fd = TestLibc.socket(family, type, protocol);
        if (family == AF_INET) {
            set(fd, SO_BROADCAST, 1);
        }
        return fd;
    }

    private static void set(int fd, int option, int value) {
        byte[] bytes = ByteBuffer.allocate(4)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
        TestLibc.setsockopt(fd, SOL_SOCKET, option, bytes, bytes.length);
    }

    private static void send(int fd, byte[] address) {
        try {
            TestLibc.connect(fd, address, address.length);
            TestLibc.send(fd, PAYLOAD, PAYLOAD.length, 0);
        } finally {
            TestLibc.close(fd);
        }
    }

    private static byte[] inet(String address) {
        return ByteBuffer.allocate(16)
                .order(ByteOrder.nativeOrder())
                .putShort((short) AF_INET)
                .order(ByteOrder.BIG_ENDIAN)
                .putShort((short) DISCARD)
                .put(Prefix.parseAddress(address).getAddress())
                .array();
    }

    private static byte[] inet6(String address) {
        return ByteBuffer.allocate(28)
                .order(ByteOrder.nativeOrder())
                .putShort((short) AF_INET6)
                .order(ByteOrder.BIG_ENDIAN)
                .putShort((short) DISCARD)
                .putInt(0)
                .put(Prefix.parseAddress(address).getAddress())
                .array();
    }
}
