package io.culvert.lab;

import java.util.ArrayList;
import java.util.List;

/**
 * What a program took from its start to its end.
 *
 * @param millis of time
 * @param megabytes of memory, at most (getrusage(2), ru_maxrss), its children's not counted together with its own
 */
record Cost(double millis, double megabytes) {

    private static final String MEASURE = """
            import resource, subprocess, sys, time
            begin = time.perf_counter()
            subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            print((time.perf_counter() - begin) * 1000, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
            """;

    static Cost of(List<String> command) {
        List<String> measured = new ArrayList<>(List.of("python3", "-c", MEASURE));
        measured.addAll(command);
        String[] figures = Outcome.of(measured).orFail().strip().split(" ", -1);
        return new Cost(Double.parseDouble(figures[0]), Double.parseDouble(figures[1]));
    }
}
