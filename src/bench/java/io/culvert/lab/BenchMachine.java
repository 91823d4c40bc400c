// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;

/** The machine of a run, and its date. */
record BenchMachine(String processor, int cores, String kernel, LocalDate date) {

    static BenchMachine here() {
        try {
            String processor = Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                    .filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(System.getProperty("os.arch"));
            return new BenchMachine(
                    processor,
                    Runtime.getRuntime().availableProcessors(),
                    System.getProperty("os.version"),
                    LocalDate.now(ZoneOffset.UTC));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    JsonObject json() {
        return Json.createObjectBuilder()
                .add("processor", processor)
                .add("cores", cores)
                .add("kernel", kernel)
                .add("date", date.toString())
                .build();
    }

    @Override
    public String toString() {
        return "%d cores of %s, Linux %s, %s".formatted(cores, processor, kernel, date);
    }
}
