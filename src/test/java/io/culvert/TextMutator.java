// SPDX-License-Identifier: Apache-2.0
package io.culvert;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Mutates texts for fuzz tests: deletes, duplicates or inserts pieces, one to four times.
 *
 * @param pieces strings to insert: tokens of the format under test, and invalid ones
 * @param maxLength the exclusive maximum of characters deleted or duplicated at once
 */
public record TextMutator(Random random, List<String> pieces, int maxLength) {

    /** Checks mutations of each file below a folder, in a fixed order. */
    public void mutateFiles(Path folder, String suffix, int mutationsPerFile, Consumer<String> check)
            throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file :
                    files.filter(it -> it.toString().endsWith(suffix)).sorted().toList()) {
                String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
                for (int i = 0; i < mutationsPerFile; i++) {
                    check.accept(mutate(text));
                }
            }
        }
    }

    private String mutate(String text) {
        StringBuilder mutated = new StringBuilder(text);
        for (int i = random.nextInt(4); i >= 0; i--) {
            int start = random.nextInt(mutated.length() + 1);
            int end = Math.min(mutated.length(), start + random.nextInt(maxLength));
            switch (random.nextInt(3)) {
                case 0 -> mutated.delete(start, end);
                case 1 -> mutated.insert(start, pieces.get(random.nextInt(pieces.size())));
                default -> mutated.insert(random.nextInt(mutated.length() + 1), mutated.substring(start, end));
            }
        }
        return mutated.toString();
    }
}
