package io.culvert.dns;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
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
            String then = String.join("\n", with(before, lines));
            if (!then.equals(String.join("\n", before))) {
                replace(file, then);
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(Problem.warning(
                    Place.file(path),
                    "cannot be written, so the names of peers do not resolve: "
                            + e.getClass().getSimpleName() + ": " + e.getMessage(),
                    "make it writable, or add the lines manually"));
        }
    }

    /** Returns whether the block has exactly these lines. */
    public boolean matches(List<String> lines) {
        try {
            List<String> now =
                    Files.exists(path) ? List.of(Files.readString(path).split("\n", -1)) : List.of("");
            return with(now, lines).equals(now);
        } catch (IOException _) {
            return false;
        }
    }

    private List<String> with(List<String> before, List<String> lines) {
        List<String> then = new ArrayList<>();
        boolean ours = false;
        for (String line : before) {
            if (line.equals(begin())) {
                ours = true;
            } else if (ours && line.equals(end())) {
                ours = false;
            } else if (!ours) {
                then.add(line);
            }
        }
        if (ours) {
            // The end marker is missing: the lines after the begin marker may be the user's, so only the marker is
            // removed.
            return with(before.stream().filter(line -> !line.equals(begin())).toList(), lines);
        }
        if (!lines.isEmpty()) {
            boolean ended = then.getLast().isEmpty();
            List<String> block = new ArrayList<>();
            block.add(begin());
            block.addAll(lines);
            block.add(end());
            then.addAll(ended ? then.size() - 1 : then.size(), block);
        }
        return then;
    }

    private String begin() {
        return "# culvert mesh " + owner + ": written by culvert, begin";
    }

    private String end() {
        return "# culvert mesh " + owner + ": end";
    }

    private static void replace(Path file, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        Path beside = file.resolveSibling("." + file.getFileName() + ".culvert");
        try {
            if (!Files.exists(file)) {
                Files.write(file, bytes);
                return;
            }
            Files.copy(file, beside, StandardCopyOption.COPY_ATTRIBUTES, StandardCopyOption.REPLACE_EXISTING);
            Files.write(
                    beside,
                    bytes,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.SYNC);
            Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException _) {
            // The file is a mount, or its directory is read-only.
            Files.deleteIfExists(beside);
            Files.write(file, bytes, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
        }
    }
}
