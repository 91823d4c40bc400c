package io.culvert.wireguard;

import io.culvert.problem.DidYouMean;
import io.culvert.wireguard.Key.Header;
import io.culvert.wireguard.Section.Entry;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What stands where: sections and their lines, before any value is looked at. */
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
            report.error(whole, "';' does not begin a comment here", "write '#' instead");
        } else if (!whole.isEmpty() && !inUnknownSection) {
            if (equals < 0 || equals >= comment) {
                report.error(whole, "this line is not 'Key = value'", "correct it, or begin it with '#'");
            } else {
                entry(Word.of(number, line, 0, equals), Word.of(number, line, equals + 1, comment));
            }
        }
    }

    /** A hook's command may hold {@code #}. */
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
                    "there is no such section in a WireGuard file",
                    header.map(meant -> "did you mean " + meant + "?").orElse("write [Interface] or [Peer]"));
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
            report.warning(word, "a second [Interface] section: its lines count as the first's", "make them one");
        }
        current = header;
    }

    private void entry(Word name, Word value) {
        Optional<Key> key = Key.of(name.compact());
        if (key.isEmpty() && foreignKeys.take(name, value)) {
            return;
        }
        if (key.isEmpty()) {
            // What was meant is checked as well, and is not told to be missing.
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

    /** The section that the line is in; where that cannot be, the one it was meant for. */
    private Section section(Key key, Word name) {
        if (current == null) {
            report.error(name, "this line stands before the first section", "write [Interface] on a line above it");
            current = Header.INTERFACE;
        }
        if (key == Key.PUBLIC_KEY && current == Header.INTERFACE) {
            report.error(name, "PublicKey does not belong in [Interface]", "write [Peer] on a line above it");
            peers.add(new Section(name));
            current = Header.PEER;
        }
        if (key.header() != current) {
            report.error(name, key + " does not belong in " + current, "move this line to the section " + key.header());
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
            report.error(name, "a second PublicKey in one [Peer]", "begin each peer with a line [Peer]");
        } else if (earlier.isPresent() && !earlier.get().value().compact().equals(value.compact())) {
            report.warning(
                    name,
                    key + " stands in line " + earlier.get().name().line() + " too: the last one counts",
                    "delete one");
        }
        if (value.isEmpty()) {
            empty(key, name);
        } else if (!key.isKey() && !key.isHook() && value.mayHoldKey()) {
            report.error(value, key + " has a value that looks like a key", "check that no two lines were mixed up");
        }
    }

    private void empty(Key key, Word name) {
        switch (key) {
            case ALLOWED_IPS ->
                report.warning(
                        name, "AllowedIPs has no value: nothing goes to this peer", "write 0.0.0.0/0, ::/0 for all");
            case DNS, MTU, TABLE, PRE_UP, POST_UP, PRE_DOWN, POST_DOWN ->
                report.warning(name, key + " has no value: the line counts for nothing", "complete or delete it");
            default -> report.error(name, key + " has no value", "complete or delete this line");
        }
    }

    private void unknown(Word name, Word value, Optional<Key> meant) {
        if (name.isEmpty()) {
            report.error(name, "there is no key before '='", "correct this line, or begin it with '#'");
            return;
        }
        // A line may be the second half of a broken key, which must not be shown.
        boolean showable = name.text().matches("[A-Za-z][A-Za-z0-9 _-]{0,23}")
                && !value.text().replace("=", "").isEmpty();
        report.error(
                name,
                showable
                        ? "there is no key '" + name.text() + "' in a WireGuard file"
                        : "there is no such key in a WireGuard file",
                meant.map(key -> "did you mean " + key + "?").orElse("correct this line, or begin it with '#'"));
    }

    private static Optional<String> nearest(Word word, List<String> known) {
        return DidYouMean.nearest(word.compact(), known);
    }
}
