// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The environment and files of a container, with the tunnel's file at the default path. */
final class SettingsFixture {

    private final Map<String, String> environment = new HashMap<>();
    private final Path root;

    SettingsFixture(Path root) {
        this.root = root;
        file("/etc/wireguard/wg0.conf", "[Interface]\n");
    }

    SettingsFixture set(String name, String text) {
        environment.put(name, text);
        return this;
    }

    SettingsFixture file(String path, String text) {
        try {
            Path file = path(path);
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return this;
    }

    Path path(String path) {
        return root.resolve(path.substring(1));
    }

    LoadedSettings read() {
        return new SettingsReader(environment, root).read();
    }

    Settings settings() {
        return read().orThrow();
    }

    /** Returns the problems, each in one line: {@code location: what | hint}. */
    List<String> problems() {
        return read().problems().stream()
                .map(Problem::toString)
                .map(text -> text.replace("\n    hint: ", " | ").replace(root.toString(), ""))
                .toList();
    }
}
