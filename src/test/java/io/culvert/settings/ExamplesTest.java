package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What people copy from us must work. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class ExamplesTest {

    private static final Pattern SETTING =
            Pattern.compile("(?m)^ +((?:CULVERT|TS)_[A-Z_]+): \"?([^\"#\\n]*?)\"?(?: +#.*)?$");

    @TempDir
    private Path root;

    /** Every compose example, and each one within the README. */
    static List<String> examples() throws IOException {
        List<String> examples = new ArrayList<>();
        try (Stream<Path> files = Files.walk(Path.of("compose-examples"))) {
            for (Path file : files.filter(file -> file.endsWith("compose.yaml")).toList()) {
                examples.add(Files.readString(file));
            }
        }
        Pattern.compile("(?s)```yaml\n(.*?)```")
                .matcher(Files.readString(Path.of("README.md")))
                .results()
                .forEach(match -> examples.add(match.group(1)));
        return examples;
    }

    @ParameterizedTest
    @MethodSource("examples")
    void an_example_has_settings_without_a_problem(String example) {
        Fixture given = new Fixture(root)
                .file("/etc/culvert/clients.conf", "")
                .file("/run/secrets/socks", "secret")
                .file("/run/secrets/authkey", "key");
        long settings = SETTING.matcher(example)
                .results()
                .peek(match -> given.set(match.group(1), match.group(2)))
                .count();

        assertThat(settings).isPositive();
        assertThat(given.problems()).isEmpty();
    }
}
