package io.culvert.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Where standard error goes: colour is for people only. */
final class Terminal {

    private Terminal() {}

    /** Whether it is a terminal that shows colours, and nobody has asked for none (https://no-color.org). */
    static boolean takesColour(Map<String, String> environment) {
        return environment.getOrDefault("NO_COLOR", "").isEmpty()
                && !environment.getOrDefault("TERM", "dumb").equals("dumb")
                && isTerminal(Path.of("/proc/self/fd/2"));
    }

    /** By the name of what a descriptor is open on: pipes and files have others. */
    static boolean isTerminal(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().matches("/dev/(pts/[0-9]+|tty.*|console)");
        } catch (IOException _) {
            return false;
        }
    }
}
