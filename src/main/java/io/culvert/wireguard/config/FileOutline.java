// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.diagnostics.DidYouMean;
import io.culvert.wireguard.config.FileProblem.Reason;
import io.culvert.wireguard.config.FileProblem.Reason.Plain;
import io.culvert.wireguard.config.Key.Header;
import io.culvert.wireguard.config.Section.Entry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The structure of a file: sections and their lines, before values are parsed. */
final class FileOutline {

    private final FileProblems report;
    private final Comments comments;
    private final ForeignKeys foreignKeys = new ForeignKeys();
    private final List<Section> peers = new ArrayList<>();
    private @Nullable Section interfaceSection;
    private @Nullable Header current;
    private boolean inUnknownSection;

    private FileOutline(FileProblems report) {
        this.report = report;
        this.comments = new Comments(report);
    }

    static FileOutline of(List<String> lines, FileProblems report) {
        FileOutline outline = new FileOutline(report);
        for (int i = 0; i < lines.size(); i++) {
            outline.readLine(i + 1, lines.get(i));
        }
        outline.foreignKeys.reportTo(report);
        return outline;
    }

    Optional<Section> interfaceSection() {
        return Optional.ofNullable(interfaceSection);
    }

    List<Section> peers() {
        return peers;
    }

    /** Returns the line that begins the first section, or the first line where no section is known. */
    FileWord firstHeader() {
        return Stream.concat(peers.stream(), Stream.ofNullable(interfaceSection))
                .map(Section::header)
                .min(Comparator.comparingInt(FileWord::line))
                .orElse(new FileWord("", 1, 1));
    }

    private void readLine(int number, String line) {
        int equals = line.indexOf('=');
        int comment = line.indexOf('#');
        if (comment >= 0 && !isHook(line, equals, comment)) {
            comments.read(FileWord.of(number, line, comment, line.length()), current);
        } else {
            comment = line.length();
        }
        FileWord content = FileWord.of(number, line, 0, comment);
        if (content.text().startsWith("[")) {
            readHeader(content);
        } else if (content.text().startsWith(";")) {
            report.error(content, Plain.SEMICOLON_COMMENT);
        } else if (!content.isEmpty() && !inUnknownSection) {
            if (equals < 0 || equals >= comment) {
                report.error(content, Plain.NOT_KEY_VALUE);
            } else {
                readEntry(FileWord.of(number, line, 0, equals), FileWord.of(number, line, equals + 1, comment));
            }
        }
    }

    /** Returns whether the line is a hook, whose command may contain {@code #}. */
    private static boolean isHook(String line, int equals, int comment) {
        return equals >= 0
                && equals < comment
                && Key.of(FileWord.of(0, line, 0, equals).compact())
                        .filter(Key::isHook)
                        .isPresent();
    }

    private void readHeader(FileWord word) {
        Optional<Header> header = Header.of(word.compact());
        if (header.isEmpty()) {
            header = nearest(word, Header.names()).flatMap(Header::of);
            report.error(word, new Reason.UnknownSection(header));
        }
        inUnknownSection = header.isEmpty();
        if (header.isPresent()) {
            startSection(header.get(), word);
        }
    }

    private void startSection(Header header, FileWord word) {
        if (header == Header.PEER) {
            peers.add(new Section(word));
        } else if (interfaceSection == null) {
            interfaceSection = new Section(word);
        } else {
            report.warning(word, Plain.SECOND_INTERFACE);
        }
        current = header;
    }

    private void readEntry(FileWord name, FileWord value) {
        Optional<Key> match = Key.of(name.compact());
        if (match.isEmpty() && foreignKeys.collect(name, value)) {
            return;
        }
        if (match.isEmpty()) {
            // The intended key is checked as well, so that it is not reported as missing.
            match = nearest(name, Key.names()).flatMap(Key::of);
            reportUnknownKey(name, value, match);
        }
        match.ifPresent(key -> {
            Section section = sectionFor(key, name);
            checkEntry(section, key, name, value);
            boolean readable = key.isKey() || key.isHook() || !value.mayContainKey();
            section.add(new Entry(key, name, readable ? value : new FileWord("", value.line(), value.column())));
        });
    }

    /** Returns the section of the line or, if the key is invalid in it, the section where the key is valid. */
    private Section sectionFor(Key key, FileWord name) {
        if (current == null) {
            report.error(name, Plain.BEFORE_FIRST_SECTION);
            current = Header.INTERFACE;
        }
        if (key == Key.PUBLIC_KEY && current == Header.INTERFACE) {
            report.error(name, Plain.PUBLIC_KEY_IN_INTERFACE);
            peers.add(new Section(name));
            current = Header.PEER;
        }
        if (key.header() != current) {
            report.error(name, new Reason.WrongSection(key, current));
        }
        if (key.header() == Header.PEER && !peers.isEmpty()) {
            return peers.getLast();
        }
        if (key.header() == Header.PEER) {
            return new Section(name);
        }
        if (interfaceSection == null) {
            interfaceSection = new Section(name);
        }
        return interfaceSection;
    }

    private void checkEntry(Section section, Key key, FileWord name, FileWord value) {
        Optional<Entry> earlier = key.accumulates() ? Optional.empty() : section.last(key);
        if (earlier.isPresent() && key == Key.PUBLIC_KEY) {
            report.error(name, Plain.SECOND_PUBLIC_KEY);
        } else if (earlier.isPresent() && !earlier.get().value().compact().equals(value.compact())) {
            report.warning(name, new Reason.SetBefore(key, earlier.get().name().line()));
        }
        if (value.isEmpty()) {
            reportEmptyValue(key, name);
        } else if (!key.isKey() && !key.isHook() && value.mayContainKey()) {
            report.error(value, new Reason.LooksLikeKey(key));
        }
    }

    private void reportEmptyValue(Key key, FileWord name) {
        switch (key) {
            case ALLOWED_IPS, DNS, MTU, TABLE, PRE_UP, POST_UP, PRE_DOWN, POST_DOWN ->
                report.warning(name, new Reason.NoValue(key));
            default -> report.error(name, new Reason.NoValue(key));
        }
    }

    private void reportUnknownKey(FileWord name, FileWord value, Optional<Key> intended) {
        if (name.isEmpty()) {
            report.error(name, Plain.NO_KEY_NAME);
            return;
        }
        // The line may be the second half of a broken key, which must not be shown.
        boolean showable = name.text().matches("[A-Za-z][A-Za-z0-9 _-]{0,23}")
                && !value.text().replace("=", "").isEmpty();
        report.error(name, new Reason.UnknownKey(Optional.of(name.text()).filter(_ -> showable), intended));
    }

    private static Optional<String> nearest(FileWord word, List<String> names) {
        return DidYouMean.nearest(word.compact(), names);
    }
}
