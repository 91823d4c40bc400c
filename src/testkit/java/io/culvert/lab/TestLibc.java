// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;

/** C library functions that tests need and Java lacks; independent of the program's own, which they test. */
public final class TestLibc {

    static {
        Native.register(TestLibc.class, NativeLibrary.getInstance("libc.so.6"));
    }

    private TestLibc() {}

    static native int open(String path, int flags) throws LastErrorException;

    static native int setns(int fd, int type) throws LastErrorException;

    public static native int close(int fd) throws LastErrorException;

    public static native int socket(int domain, int type, int protocol) throws LastErrorException;

    public static native int bind(int fd, byte[] address, int length) throws LastErrorException;

    public static native int connect(int fd, byte[] address, int length) throws LastErrorException;

    public static native int setsockopt(int fd, int level, int option, byte[] value, int length)
            throws LastErrorException;

    static native int getsockopt(int fd, int level, int option, byte[] value, int[] length) throws LastErrorException;

    public static native long send(int fd, byte[] buffer, long length, int flags) throws LastErrorException;

    public static native long sendto(int fd, byte[] buffer, long length, int flags, byte[] address, int addressLength)
            throws LastErrorException;

    public static native int getsockname(int fd, byte[] address, int[] length) throws LastErrorException;

    /** Sets the user that sockets of the calling thread belong to; returns the one before. */
    public static native int setfsuid(int user);

    /** With 0, for the calling thread. */
    public static native int sched_setaffinity(int thread, long size, byte[] processors) throws LastErrorException;

    public static native long recv(int fd, byte[] buffer, long length, int flags) throws LastErrorException;

    public static native int if_nametoindex(String name) throws LastErrorException;
}
