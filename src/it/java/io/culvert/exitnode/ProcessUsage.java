// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.RunningProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What a process uses; its memory is only shown, as it depends on the collector. */
record ProcessUsage(long files, long threads, String memory) {

    /** More than there are open files or threads for a moment only: of a probe, an audit, a request, the compiler. */
    private static final int SHORT_LIVED = 10;

    static ProcessUsage of(RunningProgram culvert) throws IOException {
        Path process = Path.of("/proc/" + culvert.programPid());
        String memory = Files.readAllLines(process.resolve("status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .findFirst()
                .orElseThrow();
        return new ProcessUsage(
                count(process.resolve("fd")), count(process.resolve("task")), memory.replaceAll("\\s+", " "));
    }

    private static long count(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.count();
        }
    }

    void assertNotGrownSince(ProcessUsage first) {
        assertThat(files).as("open files").isLessThan(first.files() + SHORT_LIVED);
        assertThat(threads).as("threads").isLessThan(first.threads() + SHORT_LIVED);
    }
}
