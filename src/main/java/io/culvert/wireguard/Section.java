package io.culvert.wireguard;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The lines of a {@code [Peer]} section, or of all {@code [Interface]} sections together. */
final class Section {

    /**
     * One line.
     *
     * @param name the key as it stands there
     */
    record Entry(Key key, Word name, Word value) {}

    private final Word header;
    private final List<Entry> entries = new ArrayList<>();

    Section(Word header) {
        this.header = header;
    }

    /** Where the section begins. */
    Word header() {
        return header;
    }

    void add(Entry entry) {
        entries.add(entry);
    }

    /** All lines with this key, in order. */
    List<Entry> all(Key key) {
        return entries.stream().filter(entry -> entry.key == key).toList();
    }

    /** The line that counts, of a key that does not accumulate. */
    Optional<Entry> last(Key key) {
        return entries.reversed().stream().filter(entry -> entry.key == key).findFirst();
    }

    /** The lines of hooks, in order. */
    List<Entry> hooks() {
        return entries.stream().filter(entry -> entry.key.isHook()).toList();
    }
}
