package io.culvert.linux;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/** Hashes passwords as the system's own files hold them; by the library that reads them, so that both agree. */
public final class PasswordHash {

    private static final String SALT_CHARACTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /** The most that the method takes (crypt(5)). */
    private static final int SALT_LENGTH = 16;

    private PasswordHash() {}

    /** SHA-512 crypt, {@code $6$salt$hash}, with a new salt. */
    public static String sha512(String password) {
        StringBuilder setting = new StringBuilder("$6$");
        new SecureRandom()
                .ints(SALT_LENGTH, 0, SALT_CHARACTERS.length())
                .forEach(i -> setting.append(SALT_CHARACTERS.charAt(i)));
        String hash = Libcrypt.crypt(password, setting.toString());
        if (hash == null || !hash.startsWith(setting.toString())) {
            throw new IllegalStateException("libcrypt does not know SHA-512");
        }
        return hash;
    }

    /** Apart from {@link Libc}: only who asks for a login needs this library. */
    private static final class Libcrypt {

        static {
            Native.register(Libcrypt.class, NativeLibrary.getInstance("libcrypt.so.1"));
        }

        static native @Nullable String crypt(String key, String setting);
    }
}
