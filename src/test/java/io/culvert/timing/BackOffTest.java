// SPDX-License-Identifier: Apache-2.0
package io.culvert.timing;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BackOffTest {

    private static final BackOff BACK_OFF = new BackOff(Duration.ofSeconds(1), Duration.ofSeconds(5));

    @Test
    void the_delay_doubles_up_to_the_maximum() {
        assertThat(IntStream.rangeClosed(1, 5).mapToObj(BACK_OFF::afterFailures).map(Duration::toSeconds))
                .containsExactly(1L, 2L, 4L, 5L, 5L);
        assertThat(BACK_OFF.afterFailures(Integer.MAX_VALUE)).isEqualTo(Duration.ofSeconds(5));
    }

    @Test
    void each_delay_follows_from_the_one_before() {
        assertThat(Stream.iterate(BACK_OFF.first(), BACK_OFF::next).limit(5).map(Duration::toSeconds))
                .containsExactly(1L, 2L, 4L, 5L, 5L);
    }
}
