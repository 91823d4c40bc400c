// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Mounts and unmounts file systems in the calling thread's mount namespace (mount(2), include/uapi/linux/mount.h). */
public final class Mounts {

    private static final long READ_ONLY = 0x1;
    private static final long NO_SET_UID = 0x2;
    private static final long NO_DEVICES = 0x4;
    private static final long BIND = 0x1000;
    private static final long RECURSIVE = 0x4000;
    private static final long SLAVE = 0x80000;
    private static final long SHARED = 0x100000;

    /** {@code MNT_DETACH}: unmounts at once, even if the mount is busy. */
    private static final int DETACH = 0x2;

    /** {@code CLONE_NEWNS} (include/uapi/linux/sched.h). */
    private static final int NEW_NAMESPACE = 0x00020000;

    private Mounts() {}

    /**
     * Moves the calling thread to a new mount namespace, irreversibly: other threads and processes do not see what it
     * mounts, while it sees what they mount. Its working directory is no longer shared with other threads either.
     */
    public static void unshare() {
        try {
            Libc.unshare(NEW_NAMESPACE);
        } catch (LastErrorException e) {
            throw SystemCallException.of("unshare", e);
        }
        mount("none", Path.of("/"), null, RECURSIVE | SLAVE, null);
    }

    /** Bind-mounts a path, with all mounts below it, to another. */
    public static void bind(Path from, Path to) {
        mount(from.toString(), to, null, BIND | RECURSIVE, null);
    }

    /** Mounts an empty tmpfs. */
    public static void mountTmpfs(Path at) {
        mount("culvert", at, "tmpfs", NO_SET_UID | NO_DEVICES, "mode=755");
    }

    /** Mounts an empty read-only tmpfs. */
    public static void mountEmpty(Path at) {
        mount("culvert", at, "tmpfs", READ_ONLY | NO_SET_UID | NO_DEVICES, "mode=555");
    }

    /**
     * Makes mounts below a directory visible in other mount namespaces; a directory that is not a mount point becomes
     * one.
     */
    static void share(Path directory) {
        try {
            mount("", directory, "none", SHARED | RECURSIVE, null);
        } catch (SystemCallException e) {
            if (e.errno() != Errno.EINVAL) {
                throw e;
            }
            bind(directory, directory);
            mount("", directory, "none", SHARED | RECURSIVE, null);
        }
    }

    /** Unmounts a path; does nothing if nothing is mounted there. */
    static void unmount(Path at) {
        try {
            Libc.umount2(at.toString(), DETACH);
        } catch (LastErrorException e) {
            if (e.getErrorCode() != Errno.EINVAL && e.getErrorCode() != Errno.ENOENT) {
                throw SystemCallException.of("umount " + at, e);
            }
        }
    }

    private static void mount(String source, Path target, @Nullable String type, long flags, @Nullable String data) {
        try {
            Libc.mount(source, target.toString(), type, flags, data);
        } catch (LastErrorException e) {
            throw SystemCallException.of("mount " + target, e);
        }
    }
}
