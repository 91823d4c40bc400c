package io.culvert.confinement;

import io.culvert.linux.Descriptor;
import io.culvert.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Replaces files of a directory for one program. A file that is mounted over another one disappears when another
 * program replaces that file by rename (rename(2), since Linux 3.18); so a tmpfs is mounted over the directory as a
 * whole, with its other entries bound into it.
 */
final class PrivateDirectory {

    private PrivateDirectory() {}

    /**
     * Mounts the replacement for the calling thread, which has its own mount namespace.
     *
     * @param texts by file name
     * @param hidden names that do not exist in the replacement
     */
    static void over(Path directory, Map<String, String> texts, Set<String> hidden) throws IOException {
        try (Descriptor outer = Descriptor.open(directory, Descriptor.Access.READ);
                Stream<Path> listed = Files.list(directory)) {
            List<Path> entries = listed.toList();
            // Still leads to the original directory after the mount.
            Path outside = Path.of("/proc/self/fd", Integer.toString(outer.number()));
            Mounts.memory(directory);
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                if (!texts.containsKey(name) && !hidden.contains(name)) {
                    show(outside.resolve(entry.getFileName()), entry);
                }
            }
            for (Map.Entry<String, String> text : texts.entrySet()) {
                write(directory.resolve(text.getKey()), text.getValue());
            }
        }
    }

    /** Writes a file that every user can read, independent of the umask. */
    static void write(Path file, String text) throws IOException {
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    }

    private static void show(Path from, Path as) throws IOException {
        if (Files.isSymbolicLink(from)) {
            Files.createSymbolicLink(as, Files.readSymbolicLink(from));
            return;
        }
        if (Files.isDirectory(from, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectory(as);
        } else if (Files.exists(from, LinkOption.NOFOLLOW_LINKS)) {
            Files.createFile(as);
        } else {
            return; // It was removed meanwhile.
        }
        Mounts.bind(from, as);
    }
}
