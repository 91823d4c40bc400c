package io.culvert;

import java.util.List;
import java.util.Random;

/**
 * Texts as no editor leaves them: cut, doubled and with pieces in the wrong place, up to four times over.
 *
 * @param pieces what the format under test has a meaning for, and what it does not expect
 * @param most how many characters are cut or doubled at once, less one
 */
public record Damage(Random random, List<String> pieces, int most) {

    public String of(String text) {
        StringBuilder damaged = new StringBuilder(text);
        for (int i = random.nextInt(4); i >= 0; i--) {
            int start = random.nextInt(damaged.length() + 1);
            int end = Math.min(damaged.length(), start + random.nextInt(most));
            switch (random.nextInt(3)) {
                case 0 -> damaged.delete(start, end);
                case 1 -> damaged.insert(start, pieces.get(random.nextInt(pieces.size())));
                default -> damaged.insert(random.nextInt(damaged.length() + 1), damaged.substring(start, end));
            }
        }
        return damaged.toString();
    }
}
