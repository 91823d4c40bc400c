// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A part of a file's text with its location.
 *
 * @param text without surrounding spaces
 * @param line from 1
 * @param column from 1, in characters
 */
record FileWord(String text, int line, int column) {

    private static final Pattern LONG_RUN = Pattern.compile("(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,}+");

    /** Returns the characters of {@code line} from {@code start} to {@code end}, without surrounding spaces. */
    static FileWord of(int number, String line, int start, int end) {
        int from = start;
        int to = end;
        while (from < to && line.charAt(from) <= ' ') {
            from++;
        }
        while (to > from && line.charAt(to - 1) <= ' ') {
            to--;
        }
        return new FileWord(line.substring(from, to), number, from + 1);
    }

    boolean isEmpty() {
        return text.isEmpty();
    }

    /** Returns the text without any spaces, as wg(8) reads it. */
    String compact() {
        return text.replaceAll("\\s+", "");
    }

    /** Returns whether the text may contain a key, even a truncated one, so that it must not be shown. */
    boolean mayContainKey() {
        return LONG_RUN.matcher(compact())
                .results()
                .map(MatchResult::group)
                .anyMatch(run -> run.chars().anyMatch(Character::isUpperCase)
                        && run.chars().anyMatch(Character::isLowerCase)
                        && run.chars().anyMatch(Character::isDigit));
    }

    /** Returns the parts between separators, without empty ones. */
    List<FileWord> split(Pattern separator) {
        return parts(separator).stream().filter(part -> !part.isEmpty()).toList();
    }

    /** Returns the parts between separators; a single empty part for an empty text. */
    List<FileWord> parts(Pattern separator) {
        List<FileWord> parts = new ArrayList<>();
        Matcher matcher = separator.matcher(text);
        int start = 0;
        while (matcher.find()) {
            parts.add(part(start, matcher.start()));
            start = matcher.end();
        }
        parts.add(part(start, text.length()));
        return parts;
    }

    private FileWord part(int start, int end) {
        FileWord part = of(line, text, start, end);
        return new FileWord(part.text, line, column + part.column - 1);
    }
}
