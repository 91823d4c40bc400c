// SPDX-License-Identifier: Apache-2.0
package io.culvert;

import java.util.List;
import java.util.Random;

/**
 * Mutates texts for fuzz tests: deletes, duplicates or inserts pieces, one to four times.
 *
 * @param pieces strings to insert: tokens of the format under test, and invalid ones
 * @param maxLength the exclusive maximum of characters deleted or duplicated at once
 */
public record TextMutator(Random random, List<String> pieces, int maxLength) {

    public String mutate(String text) {
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
