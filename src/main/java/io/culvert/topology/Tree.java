package io.culvert.topology;

import java.util.List;

/** What a YAML or JSON text holds, each piece with its place: line and column count from 1. */
sealed interface Tree {

    int line();

    int column();

    /** For people: what it is. */
    String kind();

    /** @param plain whether it stands without quotes */
    record Scalar(String text, boolean plain, int line, int column) implements Tree {

        @Override
        public String kind() {
            return isNull() ? "nothing" : "a single value";
        }

        /** Whether nothing is written there (YAML 1.2, core schema). */
        boolean isNull() {
            return plain
                    && switch (text) {
                        case "", "~", "null", "Null", "NULL" -> true;
                        default -> false;
                    };
        }

        Written<String> written() {
            return new Written<>(text, line, column);
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
