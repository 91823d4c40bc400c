// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.util.ArrayList;
import java.util.List;

/**
 * The time and the memory that a program used.
 *
 * @param millis wall-clock time
 * @param megabytes peak memory of the largest of its processes (getrusage(2), ru_maxrss)
 */
record ResourceUsage(double millis, double megabytes) {

    private static final String MEASURE = """
            import resource, subprocess, sys, time
            begin = time.perf_counter()
            subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            print((time.perf_counter() - begin) * 1000, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
            """;

    static ResourceUsage of(List<String> command) {
        List<String> measured = new ArrayList<>(List.of("python3", "-c", MEASURE));
        measured.addAll(command);
        String[] figures = CommandResult.of(measured).outputOrFail().strip().split(" ", -1);
        return new ResourceUsage(Double.parseDouble(figures[0]), Double.parseDouble(figures[1]));
    }
}
