// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;

/**
 * A self-signed TLS certificate, as PEM.
 *
 * @param certificate for the server, and for the clients that trust it
 * @param key the server's private key, PKCS 8
 */
public record Certificate(String certificate, String key) {

    /** Headscale's certificate, the only one that every sandbox trusts. */
    public static final Certificate HEADSCALE = of(Headscale.NAME);

    /** Returns a certificate for this server. */
    public static Certificate of(String name) {
        return of(name, "-1d");
    }

    /** Returns a certificate that is not valid yet. */
    static Certificate validFromTomorrow(String name) {
        return of(name, "+1d");
    }

    /** @param start as keytool takes it, relative to now */
    private static Certificate of(String name, String start) {
        try {
            Path directory = Files.createTempDirectory("culvert-lab-certificate");
            Path store = directory.resolve("store.p12");
            try {
                // The only tool for certificates that every JDK includes.
                CommandResult.of(List.of(
                                Path.of(System.getProperty("java.home"), "bin/keytool")
                                        .toString(),
                                "-genkeypair",
                                "-keyalg",
                                "EC",
                                "-groupname",
                                "secp256r1",
                                "-dname",
                                "CN=" + name,
                                "-ext",
                                "san=dns:" + name,
                                "-startdate",
                                start,
                                "-storetype",
                                "PKCS12",
                                "-storepass",
                                "public",
                                "-keystore",
                                store.toString()))
                        .outputOrFail();
                return read(store, "public".toCharArray());
            } finally {
                Files.deleteIfExists(store);
                Files.delete(directory);
            }
        } catch (IOException | GeneralSecurityException e) {
            throw new AssertionError("making a certificate for " + name, e);
        }
    }

    private static Certificate read(Path file, char[] password) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, password);
        }
        String alias = store.aliases().nextElement();
        return new Certificate(
                pem("CERTIFICATE", store.getCertificate(alias).getEncoded()),
                pem("PRIVATE KEY", store.getKey(alias, password).getEncoded()));
    }

    private static String pem(String type, byte[] der) {
        String text = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(der);
        return "-----BEGIN %1$s-----%n%2$s%n-----END %1$s-----%n".formatted(type, text);
    }
}
