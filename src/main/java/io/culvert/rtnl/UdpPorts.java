// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The local UDP ports that are in use in the calling thread's network namespace, including those of the kernel. */
public final class UdpPorts {

    /** Such as {@code  123: 0100007F:1F90 00000000:0000 07 ...} (proc(5), /proc/net/udp). */
    private static final Pattern LINE = Pattern.compile("\\s*\\d+: [0-9A-F]+:([0-9A-F]{4}) .*");

    private UdpPorts() {}

    /**
     * @param root {@code /} except in tests
     * @throws ProblemException if they cannot be read
     */
    public static Set<Integer> inUse(Path root) {
        Set<Integer> ports = new TreeSet<>();
        Path directory = root.resolve("proc/thread-self/net");
        read(directory.resolve("udp"), ports);
        Path udp6 = directory.resolve("udp6");
        if (Files.exists(udp6)) {
            read(udp6, ports);
        }
        return ports;
    }

    private static void read(Path file, Set<Integer> ports) {
        try {
            for (String line : Files.readAllLines(file)) {
                Matcher matcher = LINE.matcher(line);
                if (matcher.matches()) {
                    ports.add(Integer.parseInt(matcher.group(1), 16));
                }
            }
        } catch (IOException _) {
            throw new ProblemException(
                    Problem.machine(Location.file(file), "cannot be read", "mount the proc filesystem on /proc"));
        }
    }
}
