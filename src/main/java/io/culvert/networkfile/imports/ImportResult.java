// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.imports;

import io.culvert.diagnostics.Problem;
import io.culvert.wireguard.config.SecretKey;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The result of an import.
 *
 * @param yaml the network file; empty where it could not be created
 * @param keys the secret keys by the file that the network file names for each
 */
public record ImportResult(String yaml, Map<Path, SecretKey> keys, List<Problem> problems) {

    public ImportResult {
        keys = Map.copyOf(keys);
        problems = List.copyOf(problems);
    }
}
