// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeyGeneratorTest {

    /** The expected value is the output of {@code wg pubkey} of wireguard-tools. */
    @ParameterizedTest
    @CsvSource({
        "culvert-test-private-key-0000001, cvAjUHcU1wzT7EIfrUVNjPauNk0h1Uqwy4gdSv9OFDI=",
        "culvert-test-private-key-0000002, 26ENKwPJykk94J1KGKJrkxiXcJ3gpRHzotKm+lnJoTE=",
    })
    void a_public_key_equals_the_output_of_wg_pubkey(String privateKey, String publicKey) {
        SecretKey key = new SecretKey(privateKey.getBytes(StandardCharsets.US_ASCII));

        assertThat(KeyGenerator.publicOf(key)).hasToString(publicKey);
    }

    /** RFC 7748, section 6.1. */
    @Test
    void a_public_key_equals_the_example_in_rfc_7748() {
        byte[] alice = HexFormat.of().parseHex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");

        assertThat(HexFormat.of()
                        .formatHex(KeyGenerator.publicOf(new SecretKey(alice)).bytes()))
                .isEqualTo("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    }

    @Test
    void a_new_private_key_is_clamped_and_unique() {
        SecretKey one = KeyGenerator.generatePrivate();
        byte[] bytes = one.bytes();

        assertThat(bytes[0] & 7).isZero();
        assertThat(bytes[31] & 0xc0).isEqualTo(0x40);
        assertThat(one).isNotEqualTo(KeyGenerator.generatePrivate());
        assertThat(KeyGenerator.generatePreshared()).isNotEqualTo(KeyGenerator.generatePreshared());
    }

    @Test
    void a_secret_key_is_never_shown() {
        String text = "Y3VsdmVydC10ZXN0LXByaXZhdGUta2V5LTAwMDAwMDE=";

        assertThat(SecretKey.parse(text)).hasToString("(hidden)");
        assertThatThrownBy(() -> SecretKey.parse(text.substring(1))).hasMessageNotContaining("LXByaXZh");
        assertThatThrownBy(() -> SecretKey.parse(text.replace('Y', '!'))).hasMessageNotContaining("LXByaXZh");
    }
}
