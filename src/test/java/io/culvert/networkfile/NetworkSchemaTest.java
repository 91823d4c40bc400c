// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The JSON Schema accepts the same files as the program. */
class NetworkSchemaTest {

    private static final JsonSchema SCHEMA =
            JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(NetworkSchema.text());

    private static final Pattern EXAMPLE = Pattern.compile("(?s)<!-- example -->\n```yaml\n(.*?)```");

    private static Set<ValidationMessage> schemaErrors(String yaml) {
        return SCHEMA.validate(yaml, InputFormat.YAML);
    }

    @Test
    void every_example_matches_the_schema() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("src/test/resources/networkfile"))) {
            for (Path file :
                    files.filter(it -> it.toString().endsWith(".yaml")).sorted().toList()) {
                assertThat(schemaErrors(Files.readString(file))).as("%s", file).isEmpty();
            }
        }
    }

    @Test
    void the_examples_of_the_documentation_have_no_problems() throws IOException {
        int examples = 0;
        for (String page : List.of("docs/mesh.md", "docs/network-file.md", "docs/coming-from/wirenix.md")) {
            Matcher example = EXAMPLE.matcher(Files.readString(Path.of(page)));
            while (example.find()) {
                assertThat(NetworkText.problems(example.group(1))).as(page).isEmpty();
                assertThat(schemaErrors(example.group(1))).as(page).isEmpty();
                examples++;
            }
        }
        assertThat(examples).isEqualTo(3);
    }

    @Test
    void every_network_that_the_program_accepts_matches_the_schema() {
        for (int seed = 0; seed < 60; seed++) {
            String text = new RandomNetwork(seed).text();
            if (NetworkFile.parse(NetworkText.FILE, text).topology().isPresent()) {
                assertThat(schemaErrors(text)).as(text).isEmpty();
            }
        }
    }

    @Test
    void unknown_keys_and_values_are_rejected_by_schema_and_program() {
        String text =
                "version: v1\nsubnets: [{name: a, endpoint: []}]\npeers: []\nconnections: [{a: [{type: per, rule: is, value: x}], b: []}]\n";

        assertThat(schemaErrors(text)).hasSizeGreaterThanOrEqualTo(2);
        assertThat(NetworkText.problems(text)).hasSizeGreaterThanOrEqualTo(2);
    }
}
