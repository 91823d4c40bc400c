package io.culvert.settings;

import java.nio.file.Path;

/** Where the paths in settings begin: {@code /}, or a directory that stands for it. */
record FileRoot(Path root) {

    Path at(Path absolute) {
        return root.resolve(Path.of("/").relativize(absolute));
    }
}
