package io.culvert.mesh;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import io.culvert.wireguard.SecretKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Optional;
import java.util.Set;

/** A file that holds one secret key, as {@code wg genkey} and {@code wg genpsk} print it. */
final class KeyFile {

    /** A key and some white space; anything longer is another file. */
    private static final long LONGEST = 1024;

    private static final Set<PosixFilePermission> OTHERS =
            Set.of(PosixFilePermission.GROUP_READ, PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_WRITE);

    private KeyFile() {}

    /**
     * The key.
     *
     * @param what of, for people, such as {@code the private key of 'laptop'}
     * @param problems takes what is wrong, and a warning where others can read the file
     */
    static Optional<SecretKey> read(Path file, String what, Problems problems) {
        try {
            if (Files.size(file) > LONGEST) {
                problems.add(wrong(file, what, "the file is too long for a key"));
                return Optional.empty();
            }
            SecretKey key = SecretKey.parse(Files.readString(file).strip());
            if (Files.getPosixFilePermissions(file).stream().anyMatch(OTHERS::contains)) {
                problems.add(Problem.warning(
                        Place.file(file), "others than its owner can read " + what, "chmod 600 " + file));
            }
            return Optional.of(key);
        } catch (IOException e) {
            problems.add(Problem.input(
                    Place.file(file),
                    what + " cannot be read" + (Files.exists(file) ? ": " + e.getMessage() : ": there is no such file"),
                    "make it with 'culvert mesh keygen', or correct the path in the network file"));
        } catch (IllegalArgumentException e) {
            problems.add(wrong(file, what, String.valueOf(e.getMessage())));
        }
        return Optional.empty();
    }

    private static Problem wrong(Path file, String what, String why) {
        return Problem.input(
                Place.file(file),
                what + " is not in it: " + why,
                "move it away, then make a key: culvert mesh keygen "
                        + (what.contains("preshared") ? "--preshared " : "") + file);
    }
}
