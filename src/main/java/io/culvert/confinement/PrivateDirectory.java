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
 * A directory of the machine as one program sees it: some of its files are others. What is mounted on a file of the machine's
 * own directory is gone as soon as somebody puts a new file in its place (rename(2), since Linux 3.18); so the directory as a
 * whole is another one, in memory, in which everything else is what it is outside.
 */
final class PrivateDirectory {

    private PrivateDirectory() {}

    /**
     * For the calling thread, which has mounts of its own.
     *
     * @param texts by the file's name
     * @param hidden names of what is not there
     */
    static void over(Path directory, Map<String, String> texts, Set<String> hidden) throws IOException {
        try (Descriptor outer = Descriptor.open(directory, Descriptor.Access.READ);
                Stream<Path> listed = Files.list(directory)) {
            List<Path> entries = listed.toList();
            // The way to what will be hidden.
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

    /** A text that every user may read, whatever our umask is. */
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
            return; // It has just gone.
        }
        Mounts.bind(from, as);
    }
}
