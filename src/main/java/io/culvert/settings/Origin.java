package io.culvert.settings;

import java.nio.file.Path;

/** Where a value comes from. */
sealed interface Origin {

    /** The user said nothing. */
    record Default() implements Origin {
        @Override
        public String toString() {
            return "default";
        }
    }

    /** @param alias whether the name is not the setting's own */
    record Variable(String name, boolean alias) implements Origin {
        @Override
        public String toString() {
            return name + (alias ? " (alias)" : "");
        }
    }

    /** @param name of the variable that holds the path */
    record File(String name, Path path, boolean alias) implements Origin {
        @Override
        public String toString() {
            return name + "=" + path + (alias ? " (alias)" : "");
        }
    }
}
