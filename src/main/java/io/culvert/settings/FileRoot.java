// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.nio.file.Path;

/** The root directory of the paths in settings: {@code /}, or a directory that stands for it in tests. */
record FileRoot(Path root) {

    Path resolve(Path absolute) {
        return root.resolve(Path.of("/").relativize(absolute));
    }
}
