// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Standard input, output and error: descriptors 0 to 2. */
public final class StandardStreams {

    private static final int COUNT = 3;

    /** Keeps the files reachable, and so open. */
    private static final List<RandomAccessFile> OPENED = new ArrayList<>(COUNT);

    private StandardStreams() {}

    /**
     * Opens {@code /dev/null} for each stream that this process was started without ({@code 2>&-} in a shell).
     * Otherwise the next file or socket would get its number, and would receive what this process and its children
     * write to standard error. To be called before anything is opened.
     */
    public static void openMissing() {
        for (int number = 0; number < COUNT; number++) {
            if (!Files.exists(Path.of("/proc/self/fd", Integer.toString(number)), LinkOption.NOFOLLOW_LINKS)) {
                try {
                    // Gets the lowest free number, which is this one.
                    OPENED.add(new RandomAccessFile("/dev/null", "rw"));
                } catch (IOException _) {
                    return;
                }
            }
        }
    }
}
