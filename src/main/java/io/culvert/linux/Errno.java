// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import java.util.Map;

/** Error numbers of Linux (include/uapi/asm-generic/errno-base.h and errno.h), named as in the headers. */
public final class Errno {

    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int ESRCH = 3;
    public static final int EINTR = 4;
    public static final int ENOEXEC = 8;
    public static final int EAGAIN = 11;
    public static final int ENOMEM = 12;
    public static final int EACCES = 13;
    public static final int EBUSY = 16;
    public static final int EEXIST = 17;
    public static final int ENODEV = 19;
    public static final int ENOTDIR = 20;
    public static final int EINVAL = 22;
    public static final int EROFS = 30;
    public static final int ERANGE = 34;
    public static final int EMSGSIZE = 90;
    public static final int EPROTONOSUPPORT = 93;
    public static final int EOPNOTSUPP = 95;
    public static final int EAFNOSUPPORT = 97;
    public static final int EADDRINUSE = 98;
    public static final int EADDRNOTAVAIL = 99;
    public static final int ENETDOWN = 100;
    public static final int ENETUNREACH = 101;
    public static final int ENOBUFS = 105;
    public static final int ETIMEDOUT = 110;
    public static final int ECONNREFUSED = 111;
    public static final int EHOSTUNREACH = 113;
    public static final int EINPROGRESS = 115;

    private static final Map<Integer, String> DESCRIPTIONS = Map.ofEntries(
            Map.entry(EPERM, "operation not permitted"),
            Map.entry(ENOENT, "no such object"),
            Map.entry(ESRCH, "no such process or route"),
            Map.entry(EINTR, "interrupted"),
            Map.entry(EAGAIN, "resource temporarily unavailable"),
            Map.entry(ENOMEM, "out of memory"),
            Map.entry(EACCES, "permission denied"),
            Map.entry(EBUSY, "device or resource busy"),
            Map.entry(EEXIST, "already exists"),
            Map.entry(ENODEV, "no such device"),
            Map.entry(EINVAL, "invalid argument"),
            Map.entry(EROFS, "read-only file system"),
            Map.entry(ERANGE, "out of range"),
            Map.entry(EMSGSIZE, "message too long"),
            Map.entry(EPROTONOSUPPORT, "protocol not supported"),
            Map.entry(EOPNOTSUPP, "not supported by this kernel"),
            Map.entry(EAFNOSUPPORT, "address family not supported"),
            Map.entry(EADDRINUSE, "address already in use"),
            Map.entry(EADDRNOTAVAIL, "address not available"),
            Map.entry(ENETDOWN, "network is down"),
            Map.entry(ENETUNREACH, "network is unreachable"),
            Map.entry(ENOBUFS, "no buffer space available"),
            Map.entry(ETIMEDOUT, "timed out"),
            Map.entry(ECONNREFUSED, "connection refused"),
            Map.entry(EHOSTUNREACH, "no route to host"),
            Map.entry(EINPROGRESS, "operation in progress"));

    private Errno() {}

    /** Returns a short description, such as {@code already exists (errno 17)}. */
    public static String describe(int errno) {
        return DESCRIPTIONS.getOrDefault(errno, "error") + " (errno " + errno + ")";
    }
}
