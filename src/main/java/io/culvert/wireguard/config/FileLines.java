// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.wireguard.config.FileProblem.Reason;
import io.culvert.wireguard.config.FileProblem.Reason.Plain;
import java.util.ArrayList;
import java.util.List;

/**
 * Splits a text into lines and replaces the unusual characters that editors and web pages leave in it. Each becomes one
 * space, so that columns stay correct; each kind is reported once.
 */
final class FileLines {

    private final FileProblems report;
    private boolean lineEndingReported;
    private boolean spaceReported;

    private FileLines(FileProblems report) {
        this.report = report;
    }

    static List<String> of(String text, FileProblems report) {
        return new FileLines(report).split(text);
    }

    private List<String> split(String text) {
        String content = text;
        if (FileBytes.startsWithByteOrderMark(text)) {
            content = text.substring(1);
            report.note(Plain.BYTE_ORDER_MARK);
        }
        List<String> lines = new ArrayList<>();
        for (String line : content.split("\n", -1)) {
            lines.add(clean(lines.size() + 1, line));
        }
        return lines;
    }

    private String clean(int number, String line) {
        int end = line.length();
        if (line.endsWith("\r")) {
            end--;
            if (!lineEndingReported) {
                lineEndingReported = true;
                report.note(new FileWord("", number, line.length()), Plain.WINDOWS_LINE_ENDINGS);
            }
        }
        StringBuilder clean = new StringBuilder(end);
        for (int i = 0; i < end; i++) {
            clean.append(clean(number, i, line.charAt(i)));
        }
        return clean.toString();
    }

    private char clean(int number, int index, char character) {
        if (character <= ' ' ? Character.isWhitespace(character) : isPrintable(character)) {
            return character;
        }
        FileWord location = new FileWord("", number, index + 1);
        if (!isUnusualSpace(character)) {
            report.error(location, new Reason.InvisibleCharacter(character));
        } else if (!spaceReported) {
            spaceReported = true;
            report.note(location, new Reason.UnusualSpace(character));
        }
        return ' ';
    }

    private static boolean isPrintable(char character) {
        return !Character.isISOControl(character)
                && !Character.isSpaceChar(character)
                && Character.getType(character) != Character.FORMAT;
    }

    /** Returns whether it is a space of another width, a no-break space or a zero-width one. */
    private static boolean isUnusualSpace(char character) {
        return Character.isSpaceChar(character)
                || character == '\u200B'
                || character == '\u2060'
                || FileBytes.startsWithByteOrderMark(String.valueOf(character));
    }
}
