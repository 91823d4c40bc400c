package io.culvert.linux;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;

/**
 * The C library's functions that Java has no counterpart for, by JNA's direct mapping. {@code size_t} and {@code ssize_t}
 * are {@code long}; structures are encoded by hand into byte arrays. A failed call throws with the errno.
 */
final class Libc {

    static {
        Native.register(Libc.class, NativeLibrary.getInstance("libc.so.6"));
    }

    private Libc() {}

    static native int socket(int domain, int type, int protocol) throws LastErrorException;

    static native int bind(int fd, byte[] address, int length) throws LastErrorException;

    static native int connect(int fd, byte[] address, int length) throws LastErrorException;

    static native int getsockname(int fd, byte[] address, int[] length) throws LastErrorException;

    static native int setsockopt(int fd, int level, int option, byte[] value, int length) throws LastErrorException;

    static native long send(int fd, byte[] buffer, long length, int flags) throws LastErrorException;

    static native long recv(int fd, byte[] buffer, long length, int flags) throws LastErrorException;

    static native int close(int fd) throws LastErrorException;

    static native int open(String path, int flags) throws LastErrorException;

    static native long read(int fd, byte[] buffer, long length) throws LastErrorException;

    static native long write(int fd, byte[] buffer, long length) throws LastErrorException;

    static native int eventfd(int initial, int flags) throws LastErrorException;

    static native int poll(byte[] descriptors, long count, int milliseconds) throws LastErrorException;

    static native int setns(int fd, int type) throws LastErrorException;

    static native int kill(int pid, int signal) throws LastErrorException;

    static native int waitid(int idType, int id, byte[] info, int options) throws LastErrorException;

    static native int waitpid(int pid, int[] status, int options) throws LastErrorException;
}
