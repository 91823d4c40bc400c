// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Log;
import io.culvert.runtime.Environment;
import io.culvert.timing.MonotonicClock;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClockWatchTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    @TempDir
    private Path directory;

    private final AtomicReference<Instant> time = new AtomicReference<>(START);
    private final AtomicLong nanos = new AtomicLong();
    private Path file = Path.of("provider.conf");

    @BeforeEach
    void write_file() throws IOException {
        file = Files.writeString(directory.resolve("provider.conf"), "");
        Files.setLastModifiedTime(file, FileTime.from(START));
    }

    private ClockWatch watch() {
        InstantSource source = time::get;
        return new ClockWatch(new Environment(
                Map.of(),
                directory,
                source.withZone(ZoneOffset.UTC),
                new MonotonicClock(nanos::get, START),
                new Log(new PrintWriter(new StringWriter()))));
    }

    private void elapse(long seconds) {
        nanos.addAndGet(seconds * 1_000_000_000L);
        time.updateAndGet(now -> now.plusSeconds(seconds));
    }

    @Test
    void a_clock_that_advances_is_no_problem() {
        ClockWatch watch = watch();
        elapse(3600);
        watch.update();

        assertThat(watch.problem(file)).isEmpty();
    }

    @Test
    void a_clock_that_was_set_back_is_one_until_it_has_caught_up() {
        ClockWatch watch = watch();
        elapse(100);
        time.updateAndGet(now -> now.plusSeconds(3600));
        watch.update();
        time.updateAndGet(now -> now.minusSeconds(600));
        watch.update();

        assertThat(watch.problem(file).orElse("")).contains("set back by 600 s");

        time.updateAndGet(now -> now.plusSeconds(600));
        assertThat(watch.problem(file)).isEmpty();
    }

    @Test
    void a_clock_behind_the_time_of_the_server_s_file_is_one() {
        time.set(Instant.parse("1970-01-01T00:01:00Z"));

        assertThat(watch().problem(file).orElse(""))
                .contains("clock (1970-01-01T00:01:00Z) is behind the time of " + file);
    }
}
