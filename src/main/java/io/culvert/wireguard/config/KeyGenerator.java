// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.SecureRandom;
import java.security.spec.NamedParameterSpec;
import java.security.spec.XECPrivateKeySpec;
import java.security.spec.XECPublicKeySpec;
import javax.crypto.KeyAgreement;

/** Generates keys, as {@code wg genkey}, {@code wg pubkey} and {@code wg genpsk} do. */
public final class KeyGenerator {

    private static final int LENGTH = 32;

    /** The u-coordinate of Curve25519's base point (RFC 7748, section 4.1). */
    private static final BigInteger BASE_POINT = BigInteger.valueOf(9);

    private KeyGenerator() {}

    /** Generates a private key, clamped as specified by RFC 7748, section 5. */
    public static SecretKey generatePrivate() {
        byte[] bytes = random();
        bytes[0] &= (byte) 248;
        bytes[LENGTH - 1] &= 127;
        bytes[LENGTH - 1] |= 64;
        return new SecretKey(bytes);
    }

    public static SecretKey generatePreshared() {
        return new SecretKey(random());
    }

    /** Returns the public key of a private key. */
    public static PublicKey publicOf(SecretKey privateKey) {
        try {
            KeyFactory factory = KeyFactory.getInstance("X25519");
            java.security.PublicKey basePoint =
                    factory.generatePublic(new XECPublicKeySpec(NamedParameterSpec.X25519, BASE_POINT));
            KeyAgreement agreement = KeyAgreement.getInstance("X25519");
            agreement.init(
                    factory.generatePrivate(new XECPrivateKeySpec(NamedParameterSpec.X25519, privateKey.bytes())));
            agreement.doPhase(basePoint, true);
            return new PublicKey(agreement.generateSecret());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no X25519", e);
        }
    }

    private static byte[] random() {
        byte[] bytes = new byte[LENGTH];
        new SecureRandom().nextBytes(bytes);
        return bytes;
    }
}
