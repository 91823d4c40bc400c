package io.culvert.topology.imports;

import io.culvert.problem.Problem;
import io.culvert.wireguard.SecretKey;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A network file that was made, and what does not belong into it.
 *
 * @param yaml empty where nothing could be made
 * @param keys the secrets that were met, by the file that the network file names for each
 */
public record Imported(String yaml, Map<Path, SecretKey> keys, List<Problem> problems) {

    public Imported {
        keys = Map.copyOf(keys);
        problems = List.copyOf(problems);
    }
}
