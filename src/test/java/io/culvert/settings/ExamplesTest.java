// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.Yaml;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Checks that the settings in the examples are valid. */
class ExamplesTest {

    private static final Pattern COMPOSE_BLOCK = Pattern.compile("(?s)```yaml\n(services:.*?)```");

    @TempDir
    private Path root;

    /** Returns the environment of each Culvert container in the compose examples, the README and "Getting started". */
    static List<Map<String, String>> examples() throws IOException {
        List<String> files = new ArrayList<>();
        try (Stream<Path> all = Files.walk(Path.of("compose-examples"))) {
            for (Path file : all.filter(file -> file.endsWith("compose.yaml")).toList()) {
                files.add(Files.readString(file));
            }
        }
        for (String page : List.of("README.md", "docs/getting-started.md")) {
            COMPOSE_BLOCK
                    .matcher(Files.readString(Path.of(page)))
                    .results()
                    .forEach(match -> files.add(match.group(1)));
        }
        List<Map<String, String>> examples = new ArrayList<>();
        for (String file : files) {
            // Filled in as a user would do in tswg's example.
            String filledIn = file.replace("<HEADSCALE-DOMAIN>", "headscale.example.com")
                    .replace("=HEADSCALE-IP-ADDRESS>", "=203.0.113.7:443");
            Map<?, ?> services =
                    (Map<?, ?>) Objects.requireNonNull(Yaml.read(filledIn).get("services"));
            services.values().stream()
                    .map(service -> (Map<?, ?>) service)
                    .filter(service -> String.valueOf(service.get("image")).startsWith("culvert:"))
                    .map(service -> environment(Objects.requireNonNull(service.get("environment"))))
                    .forEach(examples::add);
        }
        return examples;
    }

    /** Returns the environment, which compose accepts in two forms. */
    private static Map<String, String> environment(Object variables) {
        Map<String, String> all = new TreeMap<>();
        if (variables instanceof Map<?, ?> map) {
            map.forEach((name, text) -> all.put(String.valueOf(name), String.valueOf(text)));
        } else {
            for (Object line : (List<?>) variables) {
                List<String> parts = List.of(String.valueOf(line).split("=", 2));
                all.put(parts.getFirst(), parts.getLast());
            }
        }
        all.replaceAll((_, text) -> text.replaceAll("\\$\\{[^}]*\\}", ""));
        return all;
    }

    @ParameterizedTest
    @MethodSource("examples")
    void the_settings_of_every_example_are_valid(Map<String, String> environment) {
        SettingsFixture variables = new SettingsFixture(root)
                .file("/etc/culvert/clients.conf", "")
                .file("/tmp/example.wg0.conf", "[Interface]\n")
                .file("/run/secrets/socks", "secret")
                .file("/run/secrets/authkey", "key");
        environment.forEach(variables::set);

        assertThat(environment).isNotEmpty();
        assertThat(variables.problems()).isEmpty();
    }
}
