package io.culvert.wireguard;

import io.culvert.problem.DidYouMean;
import io.culvert.wireguard.Key.Header;
import io.culvert.wireguard.Section.Entry;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The structure of a file: sections and their lines, before values are parsed. */
final class Outline {

    private final Report report;
    private final Comments comments;
    private final ForeignKeys foreignKeys = new ForeignKeys();
    private final List<Section> peers = new ArrayList<>();
    private @Nullable Section wgInterface;
    private @Nullable Header current;
    private boolean inUnknownSection;

    private Outline(Report report) {
        this.report = report;
        this.comments = new Comments(report);
    }

    static Outline of(List<String> lines, Report report) {
        Outline outline = new Outline(report);
        for (int i = 0; i < lines.size(); i++) {
            outline.line(i + 1, lines.get(i));
        }
        outline.foreignKeys.tell(report);
        return outline;
    }

    Optional<Section> wgInterface() {
        return Optional.ofNullable(wgInterface);
    }

    List<Section> peers() {
        return peers;
    }

    private void line(int number, String line) {
        int equals = line.indexOf('=');
        int comment = line.indexOf('#');
        if (comment >= 0 && !isHook(line, equals, comment)) {
            comments.read(Word.of(number, line, comment, line.length()), current);
        } else {
            comment = line.length();
        }
        Word whole = Word.of(number, line, 0, comment);
        if (whole.text().startsWith("[")) {
            header(whole);
        } else if (whole.text().startsWith(";")) {
            report.error(whole, "';' does not begin a comment in a WireGuard file", "use '#' instead");
        } else if (!whole.isEmpty() && !inUnknownSection) {
            if (equals < 0 || equals >= comment) {
                report.error(
                        whole,
                        "this line is not of the form 'Key = value'",
                        "correct this line, or comment it out with '#'");
            } else {
                entry(Word.of(number, line, 0, equals), Word.of(number, line, equals + 1, comment));
            }
        }
    }

    /** Returns whether the line is a hook, whose command may contain {@code #}. */
    private static boolean isHook(String line, int equals, int comment) {
        return equals >= 0
                && equals < comment
                && Key.of(Word.of(0, line, 0, equals).compact())
                        .filter(Key::isHook)
                        .isPresent();
    }

    private void header(Word word) {
        Optional<Header> header = Header.of(word.compact());
        if (header.isEmpty()) {
            header = nearest(word, Header.names()).flatMap(Header::of);
            report.error(
                    word,
                    "unknown section",
                    header.map(meant -> "did you mean " + meant + "?").orElse("use [Interface] or [Peer]"));
        }
        inUnknownSection = header.isEmpty();
        if (header.isPresent()) {
            begin(header.get(), word);
        }
    }

    private void begin(Header header, Word word) {
        if (header == Header.PEER) {
            peers.add(new Section(word));
        } else if (wgInterface == null) {
            wgInterface = new Section(word);
        } else {
            report.warning(word, "second [Interface] section, merged into the first", "merge the two sections");
        }
        current = header;
    }

    private void entry(Word name, Word value) {
        Optional<Key> key = Key.of(name.compact());
        if (key.isEmpty() && foreignKeys.take(name, value)) {
            return;
        }
        if (key.isEmpty()) {
            // The intended key is checked as well, so that it is not reported as missing.
            key = nearest(name, Key.names()).flatMap(Key::of);
            unknown(name, value, key);
        }
        key.ifPresent(known -> {
            Section section = section(known, name);
            check(section, known, name, value);
            boolean readable = known.isKey() || known.isHook() || !value.mayHoldKey();
            section.add(new Entry(known, name, readable ? value : new Word("", value.line(), value.column())));
        });
    }

    /** Returns the section that the line is in or, where the key cannot be there, the one it belongs to. */
    private Section section(Key key, Word name) {
        if (current == null) {
            report.error(name, "this line is before the first section", "add a line [Interface] above it");
            current = Header.INTERFACE;
        }
        if (key == Key.PUBLIC_KEY && current == Header.INTERFACE) {
            report.error(name, "PublicKey does not belong in [Interface]", "add a line [Peer] above it");
            peers.add(new Section(name));
            current = Header.PEER;
        }
        if (key.header() != current) {
            report.error(name, key + " does not belong in " + current, "move this line to " + key.header());
        }
        if (key.header() == Header.PEER && !peers.isEmpty()) {
            return peers.getLast();
        }
        if (key.header() == Header.PEER) {
            return new Section(name);
        }
        if (wgInterface == null) {
            wgInterface = new Section(name);
        }
        return wgInterface;
    }

    private void check(Section section, Key key, Word name, Word value) {
        Optional<Entry> earlier = key.accumulates() ? Optional.empty() : section.last(key);
        if (earlier.isPresent() && key == Key.PUBLIC_KEY) {
            report.error(name, "second PublicKey in one [Peer] section", "start each peer with a line [Peer]");
        } else if (earlier.isPresent() && !earlier.get().value().compact().equals(value.compact())) {
            report.warning(
                    name,
                    key + " is also set in line " + earlier.get().name().line() + ": the last value applies",
                    "delete one of the lines");
        }
        if (value.isEmpty()) {
            empty(key, name);
        } else if (!key.isKey() && !key.isHook() && value.mayHoldKey()) {
            report.error(value, key + ": this value looks like a key", "check whether two lines were mixed up");
        }
    }

    private void empty(Key key, Word name) {
        switch (key) {
            case ALLOWED_IPS ->
                report.warning(
                        name,
                        "AllowedIPs is empty: no traffic is sent to this peer",
                        "use 0.0.0.0/0, ::/0 for all traffic");
            case DNS, MTU, TABLE, PRE_UP, POST_UP, PRE_DOWN, POST_DOWN ->
                report.warning(name, key + " has no value: this line is ignored", "add a value, or delete this line");
            default -> report.error(name, key + " has no value", "add a value, or delete this line");
        }
    }

    private void unknown(Word name, Word value, Optional<Key> meant) {
        if (name.isEmpty()) {
            report.error(name, "no key before '='", "correct this line, or comment it out with '#'");
            return;
        }
        // The line may be the second half of a broken key, which must not be shown.
        boolean showable = name.text().matches("[A-Za-z][A-Za-z0-9 _-]{0,23}")
                && !value.text().replace("=", "").isEmpty();
        report.error(
                name,
                showable ? "unknown key '" + name.text() + "'" : "unknown key",
                meant.map(key -> "did you mean " + key + "?").orElse("correct this line, or comment it out with '#'"));
    }

    private static Optional<String> nearest(Word word, List<String> known) {
        return DidYouMean.nearest(word.compact(), known);
    }
}
