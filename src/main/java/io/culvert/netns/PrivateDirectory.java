// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

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
     * @param contents by file name
     * @param hidden names that do not exist in the replacement
     */
    static void mountOver(Path directory, Map<String, String> contents, Set<String> hidden) throws IOException {
        try (Descriptor original = Descriptor.open(directory, Descriptor.Access.READ);
                Stream<Path> entryPaths = Files.list(directory)) {
            List<Path> entries = entryPaths.toList();
            // Still leads to the original directory after the mount.
            Path originalPath = Path.of("/proc/self/fd", Integer.toString(original.number()));
            Mounts.mountTmpfs(directory);
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                if (!contents.containsKey(name) && !hidden.contains(name)) {
                    bindInto(originalPath.resolve(entry.getFileName()), entry);
                }
            }
            for (Map.Entry<String, String> content : contents.entrySet()) {
                write(directory.resolve(content.getKey()), content.getValue());
            }
        }
    }

    /** Writes a file that every user can read, independent of the umask. */
    static void write(Path file, String content) throws IOException {
        Files.writeString(file, content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    }

    private static void bindInto(Path source, Path inside) throws IOException {
        if (Files.isSymbolicLink(source)) {
            Files.createSymbolicLink(inside, Files.readSymbolicLink(source));
            return;
        }
        if (Files.isDirectory(source, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectory(inside);
        } else if (Files.exists(source, LinkOption.NOFOLLOW_LINKS)) {
            Files.createFile(inside);
        } else {
            return; // It was removed meanwhile.
        }
        Mounts.bind(source, inside);
    }
}
