// SPDX-License-Identifier: Apache-2.0
package io.culvert.image;

import io.culvert.lab.CommandResult;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command line of rootless Podman, for what Docker's API, and so Testcontainers, does not provide. */
public final class Podman {

    private static final String COMMAND =
            Path.of(".cache/bin/podman").toAbsolutePath().toString();

    private Podman() {}

    /** Runs it and returns its standard output; fails if it fails. */
    public static String run(String... arguments) {
        return attempt(arguments).outputOrFail();
    }

    /** Runs it and returns its result. */
    public static CommandResult attempt(String... arguments) {
        List<String> command = new ArrayList<>(List.of(COMMAND));
        command.addAll(List.of(arguments));
        return CommandResult.of(command);
    }

    /** Returns {@code podman inspect} of a container, an image, a network or a volume. */
    public static JsonObject inspect(String name) {
        return Json.createReader(new StringReader(run("inspect", name)))
                .readArray()
                .getJsonObject(0);
    }
}
