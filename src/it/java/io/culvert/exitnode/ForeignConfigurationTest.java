// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The configuration of another Quarkus application, in the working directory and in the environment, changes nothing:
 * each of these properties would end the program, stop its start or make it print more.
 */
@NamespaceTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ForeignConfigurationTest {

    private static final Map<String, String> PROPERTIES = new TreeMap<>(Map.of(
            "quarkus.banner.enabled", "true",
            "quarkus.config.locations", "/nowhere",
            "quarkus.init-and-exit", "true",
            "quarkus.log.console.enabled", "true",
            "quarkus.log.level", "ALL",
            "quarkus.profile", "${NO_SUCH_VARIABLE}",
            "quarkus.thread-pool.core-threads", "many"));

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @TempDir
    private Path directory;

    @AfterAll
    void closeLab() {
        fixture.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--version", "status --json", "plan", "mesh schema", "stat"})
    void does_not_change_a_command(String arguments) throws IOException {
        CommandResult expected = run(List.of(), "/", arguments);
        StringBuilder text = new StringBuilder();
        PROPERTIES.forEach(
                (name, value) -> text.append(name).append('=').append(value).append('\n'));
        Files.createDirectories(directory.resolve("config"));
        for (String file : List.of(".env", "application.properties", "config/application.properties")) {
            Files.writeString(directory.resolve(file), text);
        }
        Files.writeString(directory.resolve("config/application.yaml"), "unknown to Quarkus");
        List<String> variables = new ArrayList<>();
        PROPERTIES.forEach(
                (name, value) -> variables.add(name.toUpperCase(Locale.ROOT).replaceAll("[.-]", "_") + "=" + value));

        CommandResult result = run(variables, directory.toString(), arguments);

        assertThat(result.status()).isEqualTo(expected.status());
        assertThat(result.out()).isEqualTo(expected.out());
        assertThat(result.err()).isEqualTo(expected.err());
    }

    private CommandResult run(List<String> variables, String workingDirectory, String arguments) {
        List<String> command = new ArrayList<>(List.of("env", "--chdir=" + workingDirectory));
        command.addAll(variables);
        command.add(Path.of("culvert").toAbsolutePath().toString());
        command.addAll(List.of(arguments.split(" ", -1)));
        return fixture.lab.node().attempt(command.toArray(String[]::new));
    }
}
