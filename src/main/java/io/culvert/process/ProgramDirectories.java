package io.culvert.process;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Where a checkout or an image keeps the programs that belong to this one; told by whoever starts us, not by users. */
public final class ProgramDirectories {

    private ProgramDirectories() {}

    /** In the order in which they are looked into, before the usual ones. */
    public static List<Path> told() {
        return Optional.ofNullable(System.getProperty("culvert.programs")).stream()
                .map(Path::of)
                .toList();
    }
}
