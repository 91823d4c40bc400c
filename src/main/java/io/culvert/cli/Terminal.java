// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Detects the terminal behind standard error, as colours are for terminals only. */
final class Terminal {

    private Terminal() {}

    /**
     * Returns whether standard error is a terminal that supports colours, and they are not disabled
     * (https://no-color.org).
     */
    static boolean supportsColour(Map<String, String> environment) {
        return environment.getOrDefault("NO_COLOR", "").isEmpty()
                && !environment.getOrDefault("TERM", "dumb").equals("dumb")
                && isTerminal(Path.of("/proc/self/fd/2"));
    }

    /**
     * Returns whether a descriptor is open on a terminal, by the name of its file: pipes and files have other names.
     */
    static boolean isTerminal(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().matches("/dev/(pts/[0-9]+|tty.*|console)");
        } catch (IOException _) {
            return false;
        }
    }
}
