package io.culvert.cli;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import io.culvert.wireguard.SecretKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The keys in files that a network file names, as far as they are here. Each file is read, and complained of, once. */
final class KeyFiles {

    private final Problems problems = new Problems();
    private final Map<Path, Optional<SecretKey>> known = new HashMap<>();

    /** Empty where the file is elsewhere, or holds no key; the problem is kept. */
    Optional<SecretKey> key(Path file) {
        return known.computeIfAbsent(file, this::read);
    }

    /** A file that is not here is a warning, as it may be on the node itself; one without a key is an error. */
    Problems problems() {
        return problems;
    }

    private Optional<SecretKey> read(Path file) {
        try {
            return Optional.of(SecretKey.parse(Files.readString(file).strip()));
        } catch (IllegalArgumentException e) {
            problems.add(Problem.input(
                    Place.file(file),
                    String.valueOf(e.getMessage()),
                    "move it away, then make a key: culvert mesh keygen " + file));
        } catch (IOException e) {
            problems.add(Problem.warning(
                    Place.file(file),
                    e instanceof NoSuchFileException
                            ? "there is no such key file here"
                            : "this key file cannot be read",
                    "run this where the key is; a comment stands in its place"));
        }
        return Optional.empty();
    }
}
