// SPDX-License-Identifier: Apache-2.0
package io.culvert;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Checks that the classes and members that the documentation names, such as {@code net/Prefix.parse}, exist. */
class DocumentationTest {

    private static final Pattern REFERENCE =
            Pattern.compile("`((?:[a-z]+/)+[A-Z]\\w+)(?:\\.java)?(?:[.#](?!java`)(\\w+))?`");

    private static final List<String> SOURCES = List.of("main", "test", "it", "testkit", "bench");

    @Test
    void every_class_that_the_documentation_names_exists() throws IOException {
        List<String> missing = new ArrayList<>();
        int references = 0;
        for (Path page : pages()) {
            for (MatchResult reference :
                    REFERENCE.matcher(Files.readString(page)).results().toList()) {
                references++;
                if (!exists(reference.group(1), reference.group(2))) {
                    missing.add(page + ": " + reference.group());
                }
            }
        }

        assertThat(missing).isEmpty();
        assertThat(references).isGreaterThan(100);
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> docs = Files.walk(Path.of("docs"))) {
            return Stream.concat(
                            Stream.of("README.md", "CONTRIBUTING.md", "SECURITY.md")
                                    .map(Path::of),
                            docs.filter(file -> file.toString().endsWith(".md")))
                    .toList();
        }
    }

    private static boolean exists(String name, @Nullable String member) throws IOException {
        if (Files.exists(Path.of(name))) {
            // docker/Containerfile
            return true;
        }
        for (String sources : SOURCES) {
            Path file = Path.of("src", sources, "java/io/culvert", name + ".java");
            if (Files.exists(file)) {
                return member == null
                        || Pattern.compile("\\b" + member + "\\b")
                                .matcher(Files.readString(file))
                                .find();
            }
        }
        return false;
    }
}
