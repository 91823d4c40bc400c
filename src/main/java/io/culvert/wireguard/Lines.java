package io.culvert.wireguard;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits a text into lines and replaces the unusual characters that editors and web pages leave in it. Each becomes one
 * space, so that columns stay correct; each kind is reported once.
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
            report.note("this file begins with a byte order mark, which wg(8) cannot read");
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
                report.note(new Word("", number, line.length()), "this file has Windows line endings (CRLF)");
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
                    place, "invisible character U+%04X".formatted((int) character), "delete it, or retype the line");
        } else if (!oddSpace) {
            oddSpace = true;
            report.note(place, "unusual space character U+%04X, treated as a space".formatted((int) character));
        }
        return ' ';
    }

    private static boolean isPrintable(char character) {
        return !Character.isISOControl(character)
                && !Character.isSpaceChar(character)
                && Character.getType(character) != Character.FORMAT;
    }

    /** Returns whether it is a space of another width, a no-break space or a zero-width one. */
    private static boolean isOddSpace(char character) {
        return Character.isSpaceChar(character)
                || character == '\u200B'
                || character == '\u2060'
                || FileBytes.startsWithMark(String.valueOf(character));
    }
}
