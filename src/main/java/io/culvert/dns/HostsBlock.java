// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A block of lines in {@code /etc/hosts} (hosts(5)) between two markers; other lines are not changed. The file is
 * replaced atomically, so that it is never read half-written; if it is a mount, as in containers, it is written in
 * place instead.
 *
 * @param path normally {@code /etc/hosts}; it need not exist
 * @param owner the owner of the block, named in the markers; no line feeds
 */
public record HostsBlock(Path path, String owner) {

    /**
     * Replaces the lines of the block.
     *
     * @param lines if empty, the markers are removed too
     * @return a warning if the file cannot be written
     */
    public Optional<Problem> write(List<String> lines) {
        try {
            Path file = Files.exists(path) ? path.toRealPath() : path;
            List<String> before =
                    Files.exists(file) ? List.of(Files.readString(file).split("\n", -1)) : List.of("");
            String after = String.join("\n", withBlock(before, lines));
            if (!after.equals(String.join("\n", before))) {
                replace(file, after);
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(Problem.warning(
                    Location.file(path),
                    "cannot be written, so the names of peers do not resolve: "
                            + e.getClass().getSimpleName() + ": " + e.getMessage(),
                    "make it writable, or add the lines manually"));
        }
    }

    /** Returns whether the block has exactly these lines. */
    public boolean matches(List<String> lines) {
        try {
            List<String> current =
                    Files.exists(path) ? List.of(Files.readString(path).split("\n", -1)) : List.of("");
            return withBlock(current, lines).equals(current);
        } catch (IOException _) {
            return false;
        }
    }

    private List<String> withBlock(List<String> before, List<String> lines) {
        List<String> after = new ArrayList<>();
        boolean inBlock = false;
        for (String line : before) {
            if (line.equals(beginMarker())) {
                inBlock = true;
            } else if (inBlock && line.equals(endMarker())) {
                inBlock = false;
            } else if (!inBlock) {
                after.add(line);
            }
        }
        if (inBlock) {
            // The end marker is missing: the lines after the begin marker may be the user's, so only the marker is
            // removed.
            return withBlock(
                    before.stream().filter(line -> !line.equals(beginMarker())).toList(), lines);
        }
        if (!lines.isEmpty()) {
            boolean endsWithNewline = after.getLast().isEmpty();
            List<String> block = new ArrayList<>();
            block.add(beginMarker());
            block.addAll(lines);
            block.add(endMarker());
            after.addAll(endsWithNewline ? after.size() - 1 : after.size(), block);
        }
        return after;
    }

    private String beginMarker() {
        return "# culvert mesh " + owner + ": written by culvert, begin";
    }

    private String endMarker() {
        return "# culvert mesh " + owner + ": end";
    }

    private static void replace(Path file, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        Path temporary = file.resolveSibling("." + file.getFileName() + ".culvert");
        try {
            if (!Files.exists(file)) {
                Files.write(file, bytes);
                return;
            }
            Files.copy(file, temporary, StandardCopyOption.COPY_ATTRIBUTES, StandardCopyOption.REPLACE_EXISTING);
            Files.write(
                    temporary,
                    bytes,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.SYNC);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException _) {
            // The file is a mount, or its directory is read-only.
            Files.deleteIfExists(temporary);
            Files.write(file, bytes, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
        }
    }
}
