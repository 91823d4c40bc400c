package io.culvert.linux;

import com.sun.jna.LastErrorException;
import io.culvert.ip.Family;
import java.net.InetSocketAddress;
import java.util.Arrays;

/**
 * A UDP socket that this process, or the program that it was before, has opened in another network namespace, where it stays.
 * One thread may send while another receives.
 *
 * @param number of its descriptor
 */
public record InheritedSocket(int number) {

    /** include/linux/net.h. */
    private static final int SOCK_DGRAM = 2;

    /** {@code F_SETFD} (include/uapi/asm-generic/fcntl.h). */
    private static final int F_SETFD = 2;

    /** Opens one in the calling thread's namespace; it is handed on to a program that replaces this one. */
    public static InheritedSocket open(Family family) {
        try {
            return new InheritedSocket(Libc.socket(family.number(), SOCK_DGRAM, 0));
        } catch (LastErrorException e) {
            throw SystemCallException.of("socket", e);
        }
    }

    /** From now on no child gets it. */
    public InheritedSocket keep() {
        try {
            Libc.fcntl(number, F_SETFD, 1);
            return this;
        } catch (LastErrorException e) {
            throw SystemCallException.of("fcntl", e);
        }
    }

    /** Sends a datagram; one that cannot be sent now is lost, as on any way. */
    public void send(byte[] datagram, int length, InetSocketAddress to) {
        byte[] address = SocketName.encode(to);
        try {
            Libc.sendto(number, datagram, length, 0, address, address.length);
        } catch (LastErrorException _) {
            // Said above.
        }
    }

    /**
     * Waits for a datagram, whoever sent it.
     *
     * @return its length; 0 where an earlier one came back as undeliverable
     */
    public int receive(byte[] buffer) {
        try {
            return Math.toIntExact(Libc.recv(number, buffer, buffer.length, 0));
        } catch (LastErrorException e) {
            if (Arrays.asList(Errno.EINTR, Errno.ECONNREFUSED, Errno.EHOSTUNREACH, Errno.ENETUNREACH)
                    .contains(e.getErrorCode())) {
                return 0;
            }
            throw SystemCallException.of("recv", e);
        }
    }
}
