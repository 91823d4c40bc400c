// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import java.util.List;

/** The parsed contents of a YAML or JSON text; each node has its location, with line and column from 1. */
sealed interface Tree {

    int line();

    int column();

    /** Returns the kind of node, for error messages. */
    String kind();

    /**
     * A scalar.
     *
     * @param plain whether it has no quotes
     */
    record Scalar(String text, boolean plain, int line, int column) implements Tree {

        @Override
        public String kind() {
            return isNull() ? "nothing" : "a single value";
        }

        /** Returns whether it is null (YAML 1.2, core schema). */
        boolean isNull() {
            return plain
                    && switch (text) {
                        case "", "~", "null", "Null", "NULL" -> true;
                        default -> false;
                    };
        }

        LocatedValue<String> located() {
            return new LocatedValue<>(text, line, column);
        }
    }

    record Items(List<Tree> all, int line, int column) implements Tree {

        @Override
        public String kind() {
            return "a list";
        }
    }

    record Entry(Scalar key, Tree value) {}

    record Entries(List<Entry> all, int line, int column) implements Tree {

        @Override
        public String kind() {
            return "a mapping";
        }
    }
}
