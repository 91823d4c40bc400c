package io.culvert.settings;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The {@code TS_} variables: passed on unchanged, except what would leak. */
final class TailscaleVariables {

    /** What Go's strconv.ParseBool, which reads the variable, takes for true. */
    private static final Set<String> TRUE = Set.of("1", "t", "T", "TRUE", "true", "True");

    private TailscaleVariables() {}

    static Map<String, String> of(Map<String, String> environment, Problems problems) {
        Map<String, String> passed = new TreeMap<>();
        environment.forEach((name, text) -> {
            if (name.startsWith("TS_")) {
                passed.put(name, text);
            }
        });
        if (TRUE.contains(passed.getOrDefault("TS_USERSPACE", "").strip())) {
            problems.add(Problem.input(
                    Place.setting("TS_USERSPACE"),
                    "is true, which is refused: Tailscale would then forward exit traffic from its own sockets, which"
                            + " leave past the tunnel with the real address",
                    "remove it, and give the container /dev/net/tun and NET_ADMIN"));
        }
        return passed;
    }
}
