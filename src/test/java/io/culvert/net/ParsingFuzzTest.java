// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/** A text is either rejected with a message, or its value formats to a text of the same value. */
class ParsingFuzzTest {

    @FuzzTest
    void endpoints(byte[] data) {
        check(data, Endpoint::parse);
    }

    @FuzzTest
    void hosts(byte[] data) {
        check(data, Host::parse);
    }

    @FuzzTest
    void prefixes(byte[] data) {
        check(data, Prefix::parse);
    }

    private static <T> void check(byte[] data, Function<String, T> parse) {
        T value;
        try {
            value = parse.apply(new String(data, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageMatching("(?s).* .*");
            return;
        }
        assertThat(parse.apply(value.toString())).isEqualTo(value);
    }
}
