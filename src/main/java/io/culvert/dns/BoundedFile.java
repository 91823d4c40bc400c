// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads a file that other users can write, with a limit: they could make it larger than memory as a sparse file. */
final class BoundedFile {

    private BoundedFile() {}

    /** Returns its content up to a number of bytes, as one character per byte. */
    static String read(Path path, int maxBytes) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            return new String(in.readNBytes(maxBytes), StandardCharsets.ISO_8859_1);
        }
    }
}
