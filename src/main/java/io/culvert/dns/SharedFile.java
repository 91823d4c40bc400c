package io.culvert.dns;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file that others can write: they may make it larger than our memory at no cost, with a hole in it. */
final class SharedFile {

    private SharedFile() {}

    /** Returns its text up to so many bytes. Every byte is a character in this charset. */
    static String read(Path path, int mostBytes) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            return new String(in.readNBytes(mostBytes), StandardCharsets.ISO_8859_1);
        }
    }
}
