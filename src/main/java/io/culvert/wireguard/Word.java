package io.culvert.wireguard;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A piece of a file and where it stands.
 *
 * @param text without spaces around it
 * @param line from 1
 * @param column from 1, in characters
 */
record Word(String text, int line, int column) {

    private static final Pattern LONG_RUN = Pattern.compile("(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,}+");

    /** The characters of {@code line} from {@code start} to {@code end}, without the spaces around them. */
    static Word of(int number, String line, int start, int end) {
        int from = start;
        int to = end;
        while (from < to && line.charAt(from) <= ' ') {
            from++;
        }
        while (to > from && line.charAt(to - 1) <= ' ') {
            to--;
        }
        return new Word(line.substring(from, to), number, from + 1);
    }

    boolean isEmpty() {
        return text.isEmpty();
    }

    /** Without any space: wg drops them all. */
    String compact() {
        return text.replaceAll("\\s+", "");
    }

    /** Whether a key, perhaps without its end, may hide in it, so that it must not be shown. */
    boolean mayHoldKey() {
        return LONG_RUN.matcher(compact())
                .results()
                .map(MatchResult::group)
                .anyMatch(run -> run.chars().anyMatch(Character::isUpperCase)
                        && run.chars().anyMatch(Character::isLowerCase)
                        && run.chars().anyMatch(Character::isDigit));
    }

    /** The parts between separators, empty ones left out. */
    List<Word> split(Pattern separator) {
        return parts(separator).stream().filter(part -> !part.isEmpty()).toList();
    }

    /** The parts between separators; one empty part where there is nothing at all. */
    List<Word> parts(Pattern separator) {
        List<Word> parts = new ArrayList<>();
        Matcher matcher = separator.matcher(text);
        int start = 0;
        while (matcher.find()) {
            parts.add(part(start, matcher.start()));
            start = matcher.end();
        }
        parts.add(part(start, text.length()));
        return parts;
    }

    private Word part(int start, int end) {
        Word part = of(line, text, start, end);
        return new Word(part.text, line, column + part.column - 1);
    }
}
