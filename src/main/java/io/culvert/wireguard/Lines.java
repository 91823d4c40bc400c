package io.culvert.wireguard;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits a text into lines and makes plain what editors and web pages leave in it: each odd character becomes a space,
 * so that columns stay true, and each kind is told once.
 */
final class Lines {

    private final Report report;
    private boolean oddEnd;
    private boolean oddSpace;

    private Lines(Report report) {
        this.report = report;
    }

    static List<String> of(String text, Report report) {
        return new Lines(report).split(text);
    }

    private List<String> split(String text) {
        String rest = text;
        if (FileBytes.startsWithMark(text)) {
            rest = text.substring(1);
            report.note("the text begins with a byte order mark, which wg does not read");
        }
        List<String> lines = new ArrayList<>();
        for (String line : rest.split("\n", -1)) {
            lines.add(plain(lines.size() + 1, line));
        }
        return lines;
    }

    private String plain(int number, String line) {
        int end = line.length();
        if (line.endsWith("\r")) {
            end--;
            if (!oddEnd) {
                oddEnd = true;
                report.note(new Word("", number, line.length()), "lines end as on Windows");
            }
        }
        StringBuilder plain = new StringBuilder(end);
        for (int i = 0; i < end; i++) {
            plain.append(plain(number, i, line.charAt(i)));
        }
        return plain.toString();
    }

    private char plain(int number, int index, char character) {
        if (character <= ' ' ? Character.isWhitespace(character) : isPrintable(character)) {
            return character;
        }
        Word place = new Word("", number, index + 1);
        if (!isOddSpace(character)) {
            report.error(
                    place,
                    "there is an invisible character here, U+%04X".formatted((int) character),
                    "delete it, or type the line again");
        } else if (!oddSpace) {
            oddSpace = true;
            report.note(
                    place, "there is an odd space here, U+%04X: it counts as a plain one".formatted((int) character));
        }
        return ' ';
    }

    private static boolean isPrintable(char character) {
        return !Character.isISOControl(character)
                && !Character.isSpaceChar(character)
                && Character.getType(character) != Character.FORMAT;
    }

    /** Spaces of other widths, the no-break ones, and those without any width. */
    private static boolean isOddSpace(char character) {
        return Character.isSpaceChar(character)
                || character == '\u200B'
                || character == '\u2060'
                || FileBytes.startsWithMark(String.valueOf(character));
    }
}
