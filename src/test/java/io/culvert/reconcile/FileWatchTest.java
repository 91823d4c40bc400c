// SPDX-License-Identifier: Apache-2.0
package io.culvert.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.linux.Inotify;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileWatchTest {

    @TempDir
    private Path directory;

    private final Semaphore changes = new Semaphore(0);

    private void assertNoticed() throws InterruptedException {
        assertThat(changes.tryAcquire(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void a_file_that_is_written_or_replaced_or_created_is_noticed() throws Exception {
        Path file = Files.writeString(directory.resolve("a.conf"), "1");
        Path missing = directory.resolve("b.conf");
        try (FileWatch _ = FileWatch.start(Inotify.open(), List.of(file, missing), changes::release)) {
            Files.writeString(file, "2");
            assertNoticed();
            changes.drainPermits();
            Files.move(Files.writeString(directory.resolve(".a.swp"), "3"), file, StandardCopyOption.REPLACE_EXISTING);
            assertNoticed();
            changes.drainPermits();
            Files.writeString(missing, "1");
            assertNoticed();
        }
    }

    @Test
    void an_entry_of_a_directory_is_noticed_and_so_is_a_new_directory_of_that_name() throws Exception {
        Path watched = Files.createDirectory(directory.resolve("wireguard"));
        try (FileWatch watch = FileWatch.start(Inotify.open(), List.of(watched), changes::release)) {
            Files.writeString(watched.resolve("any"), "1");
            assertNoticed();
            Files.move(watched, directory.resolve("old"));
            Files.createDirectory(watched);
            watch.set(List.of(directory)); // Another set, so that the next one opens all watches.
            watch.set(List.of(watched));
            changes.drainPermits();
            Files.writeString(watched.resolve("any"), "1");
            assertNoticed();
        }
    }

    @Test
    void a_symbolic_link_anywhere_in_the_path_is_followed() throws Exception {
        for (String version : List.of("..1", "..2")) {
            Files.writeString(Files.createDirectory(directory.resolve(version)).resolve("a.conf"), version);
        }
        Files.createSymbolicLink(directory.resolve("..data"), Path.of("..1"));
        Path file = Files.createSymbolicLink(directory.resolve("a.conf"), Path.of("..data/a.conf"));
        try (FileWatch watch = FileWatch.start(Inotify.open(), List.of(file), changes::release)) {
            swap("..2");
            assertNoticed();
            assertThat(watch.set(List.of(file)))
                    .as("what is watched has changed")
                    .isTrue();
            assertThat(watch.set(List.of(file))).isFalse();
            changes.drainPermits();
            Files.writeString(directory.resolve("..2/a.conf"), "changed");
            assertNoticed();
        }
    }

    private void swap(String version) throws IOException {
        Files.createSymbolicLink(directory.resolve("..new"), Path.of(version));
        Files.move(directory.resolve("..new"), directory.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
    }

    @Test
    void a_loop_of_symbolic_links_ends() throws Exception {
        Path loop = Files.createSymbolicLink(directory.resolve("loop"), Path.of("loop"));
        try (FileWatch _ = FileWatch.start(Inotify.open(), List.of(loop), changes::release)) {
            Files.delete(loop);
            assertNoticed();
        }
    }
}
