// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import io.culvert.net.Family;
import java.net.InetSocketAddress;
import java.util.Arrays;

/**
 * A UDP socket that this process, or the program that it replaced (execve(2)), opened in another network namespace, to
 * which it keeps belonging. One thread may send while another receives.
 *
 * @param number the number of its descriptor
 */
public record InheritedSocket(int number) {

    /** include/linux/net.h. */
    private static final int SOCK_DGRAM = 2;

    /** {@code F_SETFD} (include/uapi/asm-generic/fcntl.h). */
    private static final int F_SETFD = 2;

    /** Opens a socket in the calling thread's namespace; a program that replaces this one inherits it. */
    public static InheritedSocket open(Family family) {
        try {
            return new InheritedSocket(Libc.socket(family.number(), SOCK_DGRAM, 0));
        } catch (LastErrorException e) {
            throw SystemCallException.of("socket", e);
        }
    }

    /** Sets close-on-exec, so that children do not inherit the socket. */
    public InheritedSocket setCloseOnExec() {
        try {
            Libc.fcntl(number, F_SETFD, 1);
            return this;
        } catch (LastErrorException e) {
            throw SystemCallException.of("fcntl", e);
        }
    }

    /** Sends a datagram; one that cannot be sent now is dropped, as the network may do with any. */
    public void send(byte[] datagram, int length, InetSocketAddress to) {
        byte[] address = SockAddr.encode(to);
        try {
            Libc.sendto(number, datagram, length, 0, address, address.length);
        } catch (LastErrorException _) {
            // Dropped, as the network may do with any datagram.
        }
    }

    /**
     * Waits for a datagram from any sender.
     *
     * @return its length; 0 if an earlier datagram was reported as undeliverable
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
