// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * A user account from the system's user database, whatever its source (nsswitch.conf(5)).
 *
 * @param home the path of the home directory
 */
public record Account(String name, int user, int group, String home) {

    /** {@code struct passwd} where pointers have 64 bits (pwd.h): name, password, uid, gid, gecos, home, shell. */
    private static final int SIZE = 48;

    private static final int UID = 16;
    private static final int GID = 20;
    private static final int HOME = 32;

    /** Returns the account with this name; empty if there is none. */
    public static Optional<Account> find(String name) {
        long address = Libc.getpwnam(name);
        if (address == 0) {
            return Optional.empty();
        }
        ByteBuffer entry = ByteBuffer.wrap(readMemory(address, SIZE)).order(ByteOrder.nativeOrder());
        long home = entry.getLong(HOME);
        return Optional.of(new Account(
                name,
                entry.getInt(UID),
                entry.getInt(GID),
                new String(readMemory(home, Libc.strlen(home)), StandardCharsets.UTF_8)));
    }

    /** Returns the effective user id of this process. */
    public static int effectiveUser() {
        return Libc.geteuid();
    }

    /** Returns the effective group id of this process. */
    public static int effectiveGroup() {
        return Libc.getegid();
    }

    /** Switches this process to this user and its groups, irreversibly. */
    void switchTo() {
        try {
            Libc.initgroups(name, group);
            Libc.setresgid(group, group, group);
            Libc.setresuid(user, user, user);
        } catch (LastErrorException e) {
            throw SystemCallException.of("switching to user " + name, e);
        }
    }

    private static byte[] readMemory(long address, long length) {
        byte[] bytes = new byte[Math.toIntExact(length)];
        if (length > 0) {
            Libc.memcpy(bytes, address, length);
        }
        return bytes;
    }
}
