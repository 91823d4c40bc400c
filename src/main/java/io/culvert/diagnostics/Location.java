// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

import java.nio.file.Path;

/** The location of a problem. */
public sealed interface Location {

    /** A setting, by the name that the user wrote. */
    record Setting(String name) implements Location {
        @Override
        public String toString() {
            return name;
        }
    }

    /**
     * A location in a text file.
     *
     * @param line from 1; 0 for the whole file
     * @param column from 1, in characters; 0 for the whole line
     */
    record InFile(Path file, int line, int column) implements Location {
        @Override
        public String toString() {
            return file + (line == 0 ? "" : ":" + line + (column == 0 ? "" : ":" + column));
        }
    }

    /** The machine or container, or a part of it such as {@code /dev/net/tun}. */
    record Machine(String part) implements Location {
        @Override
        public String toString() {
            return part;
        }
    }

    /** The command line. */
    record CommandLine(String argument) implements Location {
        @Override
        public String toString() {
            return argument;
        }
    }

    static Location setting(String name) {
        return new Setting(name);
    }

    static Location file(Path file) {
        return new InFile(file, 0, 0);
    }

    static Location file(Path file, int line, int column) {
        return new InFile(file, line, column);
    }

    static Location machine(String part) {
        return new Machine(part);
    }
}
