// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The lines of a {@code [Peer]} section, or of all {@code [Interface]} sections together. */
final class Section {

    /**
     * One line of a section.
     *
     * @param name the key as written in the file
     */
    record Entry(Key key, FileWord name, FileWord value) {}

    private final FileWord header;
    private final List<Entry> entries = new ArrayList<>();

    Section(FileWord header) {
        this.header = header;
    }

    /** Returns the line that begins the section. */
    FileWord header() {
        return header;
    }

    void add(Entry entry) {
        entries.add(entry);
    }

    /** Returns all lines with this key, in order. */
    List<Entry> all(Key key) {
        return entries.stream().filter(entry -> entry.key == key).toList();
    }

    /** Returns the line that applies for a key that does not accumulate. */
    Optional<Entry> last(Key key) {
        return entries.reversed().stream().filter(entry -> entry.key == key).findFirst();
    }

    /** Returns the lines of hooks, in order. */
    List<Entry> hooks() {
        return entries.stream().filter(entry -> entry.key.isHook()).toList();
    }
}
