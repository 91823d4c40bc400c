// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.nio.file.Path;

/** The origin of a value. */
sealed interface Origin {

    /** The value is the default. */
    record Default() implements Origin {
        @Override
        public String toString() {
            return "default";
        }
    }

    /** @param alias whether the name is an alias of the setting */
    record Variable(String name, boolean alias) implements Origin {
        @Override
        public String toString() {
            return name + (alias ? " (alias)" : "");
        }
    }

    /** @param name of the variable that contains the path */
    record File(String name, Path path, boolean alias) implements Origin {
        @Override
        public String toString() {
            return name + "=" + path + (alias ? " (alias)" : "");
        }
    }
}
