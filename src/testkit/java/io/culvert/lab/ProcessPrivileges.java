// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The privileges of a process (proc_pid_status(5)).
 *
 * @param user its distinct user IDs
 * @param permitted capabilities, as bits
 * @param bounding the capability bounding set
 * @param descriptors its hard limit of open files
 */
public record ProcessPrivileges(
        String user,
        long effective,
        long permitted,
        long ambient,
        long bounding,
        boolean noNewPrivileges,
        long descriptors) {

    public static ProcessPrivileges of(ProcessHandle process) {
        try {
            Path directory = Path.of("/proc", Long.toString(process.pid()));
            Map<String, String> status = new HashMap<>();
            for (String line : Files.readAllLines(directory.resolve("status"))) {
                String[] words = line.split(":\\s*", 2);
                status.put(words[0], words[1].strip());
            }
            List<String> users =
                    Stream.of(text(status, "Uid").split("\\s+", -1)).distinct().toList();
            String limit = Files.readAllLines(directory.resolve("limits")).stream()
                    .filter(line -> line.startsWith("Max open files"))
                    .findFirst()
                    .orElseThrow()
                    .split("\\s+", -1)[4];
            return new ProcessPrivileges(
                    String.join(" ", users),
                    bits(status, "CapEff"),
                    bits(status, "CapPrm"),
                    bits(status, "CapAmb"),
                    bits(status, "CapBnd"),
                    text(status, "NoNewPrivs").equals("1"),
                    Long.parseLong(limit));
        } catch (IOException e) {
            throw new UncheckedIOException(process + " has ended", e);
        }
    }

    private static long bits(Map<String, String> status, String name) {
        return Long.parseUnsignedLong(text(status, name), 16);
    }

    private static String text(Map<String, String> status, String name) {
        return Objects.requireNonNull(status.get(name), name);
    }
}
