// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/** Hashes passwords for /etc/shadow, by the system's own crypt library, so that whatever verifies them agrees. */
public final class PasswordHash {

    private static final String SALT_CHARACTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /** The maximum of SHA-512 crypt (crypt(5)). */
    private static final int SALT_LENGTH = 16;

    private PasswordHash() {}

    /** Returns the SHA-512 crypt hash, {@code $6$salt$hash}, with a new salt. */
    public static String sha512(String password) {
        StringBuilder setting = new StringBuilder("$6$");
        new SecureRandom()
                .ints(SALT_LENGTH, 0, SALT_CHARACTERS.length())
                .forEach(i -> setting.append(SALT_CHARACTERS.charAt(i)));
        String hash = Libcrypt.crypt(password, setting.toString());
        if (hash == null || !hash.startsWith(setting.toString())) {
            throw new IllegalStateException("libcrypt does not support SHA-512");
        }
        return hash;
    }

    /** Separate from {@link Libc}, as this library is needed only if a proxy login is configured. */
    private static final class Libcrypt {

        static {
            Native.register(Libcrypt.class, NativeLibrary.getInstance("libcrypt.so.1"));
        }

        static native @Nullable String crypt(String key, String setting);
    }
}
