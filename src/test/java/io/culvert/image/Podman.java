package io.culvert.image;

import io.culvert.lab.Outcome;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Rootless Podman, by its command line: for what Docker's API, and so Testcontainers, does not tell. */
public final class Podman {

    private static final String COMMAND =
            Path.of(".cache/bin/podman").toAbsolutePath().toString();

    private Podman() {}

    /** Runs it to its end; it must succeed. Its standard output. */
    public static String run(String... arguments) {
        return attempt(arguments).orFail();
    }

    /** Runs it to its end. */
    public static Outcome attempt(String... arguments) {
        List<String> command = new ArrayList<>(List.of(COMMAND));
        command.addAll(List.of(arguments));
        return Outcome.of(command);
    }

    /** What it knows of a container, an image, a network or a volume. */
    public static JsonObject inspect(String what) {
        return Json.createReader(new StringReader(run("inspect", what)))
                .readArray()
                .getJsonObject(0);
    }
}
