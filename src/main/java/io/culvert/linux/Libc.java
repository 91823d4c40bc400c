// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import org.jspecify.annotations.Nullable;

/**
 * Functions of the C library that Java has no counterpart for, by JNA's direct mapping. {@code size_t} and
 * {@code ssize_t} are {@code long}; structures are encoded into byte arrays. A failed call throws an exception with the
 * errno.
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

    static native long sendto(int fd, byte[] buffer, long length, int flags, byte[] address, int addressLength)
            throws LastErrorException;

    static native long send(int fd, byte[] buffer, long length, int flags) throws LastErrorException;

    static native long recv(int fd, byte[] buffer, long length, int flags) throws LastErrorException;

    static native int shutdown(int fd, int how) throws LastErrorException;

    static native int close(int fd) throws LastErrorException;

    static native int open(String path, int flags) throws LastErrorException;

    static native long read(int fd, byte[] buffer, long length) throws LastErrorException;

    static native long write(int fd, byte[] buffer, long length) throws LastErrorException;

    static native int eventfd(int initial, int flags) throws LastErrorException;

    static native int poll(byte[] descriptors, long count, int milliseconds) throws LastErrorException;

    static native int inotify_init1(int flags) throws LastErrorException;

    static native int inotify_add_watch(int fd, String path, int events) throws LastErrorException;

    static native int inotify_rm_watch(int fd, int watch) throws LastErrorException;

    static native int setns(int fd, int type) throws LastErrorException;

    static native int kill(int pid, int signal) throws LastErrorException;

    /** Returns the previous handler; {@code SIG_DFL} is 0. */
    static native long signal(int signal, long handler) throws LastErrorException;

    static native int waitid(int idType, int id, byte[] info, int options) throws LastErrorException;

    static native int waitpid(int pid, int[] status, int options) throws LastErrorException;

    static native int unshare(int flags) throws LastErrorException;

    static native int mount(String source, String target, @Nullable String type, long flags, @Nullable String data)
            throws LastErrorException;

    static native int umount2(String target, int flags) throws LastErrorException;

    static native int madvise(long address, long length, int advice) throws LastErrorException;

    static native int setsid() throws LastErrorException;

    static native int fcntl(int fd, int command, long argument) throws LastErrorException;

    static native int setrlimit(int resource, long[] limits) throws LastErrorException;

    static native int chdir(byte[] path) throws LastErrorException;

    static native int initgroups(String user, int group) throws LastErrorException;

    static native int setresgid(int real, int effective, int saved) throws LastErrorException;

    static native int setresuid(int real, int effective, int saved) throws LastErrorException;

    static native int prctl(int option, long a, long b, long c, long d) throws LastErrorException;

    /** For system calls whose C library function affects all threads of the process. */
    static native long syscall(long number, long a, long b, long c) throws LastErrorException;

    static native long syscall(long number, long a, int[] list) throws LastErrorException;

    static native int capset(byte[] header, byte[] data) throws LastErrorException;

    static native int execve(byte[] path, long[] arguments, long[] environment) throws LastErrorException;

    static native int geteuid();

    static native int getegid();

    /** Returns the errno, unlike the others. */
    static native int pthread_sigmask(int how, byte[] set, byte @Nullable [] before);

    /** Returns the address of memory from {@code malloc}, or 0. */
    static native long strdup(byte[] text);

    /** Returns the address of a {@code struct passwd}, or 0. */
    static native long getpwnam(String name);

    /** Returns an error code of netdb.h, 0 for none, and sets the address of the first {@code struct addrinfo}. */
    static native int getaddrinfo(String name, @Nullable String service, byte[] hints, long[] list);

    static native void freeaddrinfo(long list);

    static native long memcpy(byte[] destination, long source, long length);

    static native long strlen(long text);
}
