// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class RedactorTest {

    @Test
    void every_secret_is_redacted_at_any_position() {
        Redactor redactor = new Redactor(List.of("key-1", "key-1-long", "", " pass\n"));

        assertThat(redactor.apply("up --auth-key=key-1-long --old=key-1 pass:pass"))
                .isEqualTo("up --auth-key=(hidden) --old=(hidden) (hidden):(hidden)");
    }
}
