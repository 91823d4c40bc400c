// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Problem;
import io.culvert.wireguard.config.WireGuardFile.Parsed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Files as providers and users write them, each with the expected problems and configuration. After a change of
 * messages, {@code -Dcorpus.write=true} updates the expectations, to be reviewed before they are committed.
 */
class CorpusTest {

    private static final Path CORPUS = Path.of("src/test/resources/wireguard");

    @ParameterizedTest
    @MethodSource("validFiles")
    void a_valid_file_is_parsed(Path file) throws IOException {
        Parsed parsed = WireGuardFile.read(file);

        assertExpected(file, parsed);
        assertThat(parsed.config()).isPresent();
    }

    @ParameterizedTest
    @MethodSource("invalidFiles")
    void an_invalid_file_is_rejected_with_all_errors_and_their_locations(Path file) throws IOException {
        Parsed parsed = WireGuardFile.read(file);

        assertExpected(file, parsed);
        assertThat(parsed.config()).isEmpty();
        assertThat(parsed.problems()).anyMatch(problem -> problem.kind() == Problem.Kind.INPUT);
    }

    @ParameterizedTest
    @MethodSource("validFiles")
    void a_formatted_configuration_is_parsed_as_the_same(Path file) {
        WireGuardConfig config = WireGuardFile.read(file).config().orElseThrow();

        Parsed again = WireGuardFile.parse(file, WireGuardText.complete(config));

        assertThat(again.config().map(CorpusTest::withoutLines)).contains(withoutLines(config));
    }

    @ParameterizedTest
    @MethodSource("all")
    void no_message_contains_a_part_of_a_key(Path file) throws IOException {
        String shown = rendered(file, WireGuardFile.read(file));

        for (String key : secretKeys(file)) {
            for (int i = 0; i + 8 <= key.length(); i++) {
                assertThat(shown).doesNotContain(key.substring(i, i + 8));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void the_keys_in_the_corpus_are_recognizable_test_keys(Path file) throws IOException {
        for (String key : keys(file)) {
            byte[] bytes = Base64.getDecoder().decode(key);
            boolean clamped = (bytes[0] & 7) == 0 && (bytes[31] & 0xc0) == 0x40;
            boolean readable = new String(bytes, StandardCharsets.ISO_8859_1).startsWith("culvert-test-");
            boolean oneLetter = key.chars().limit(42).distinct().count() == 1;
            assertThat(readable || oneLetter).as(key).isTrue();
            assertThat(clamped && !oneLetter).as(key).isFalse();
        }
    }

    private static Stream<Path> validFiles() throws IOException {
        return files("good");
    }

    private static Stream<Path> invalidFiles() throws IOException {
        return files("bad");
    }

    private static Stream<Path> all() throws IOException {
        return Stream.concat(validFiles(), invalidFiles());
    }

    private static Stream<Path> files(String folder) throws IOException {
        try (Stream<Path> files = Files.list(CORPUS.resolve(folder))) {
            return files.filter(file -> file.toString().endsWith(".conf")).sorted().toList().stream();
        }
    }

    private static void assertExpected(Path file, Parsed parsed) throws IOException {
        Path expectation = Path.of(file.toString().replaceAll("conf$", "expect"));
        if (Boolean.getBoolean("corpus.write")) {
            Files.writeString(expectation, rendered(file, parsed));
        }
        assertThat(rendered(file, parsed)).isEqualTo(Files.readString(expectation));
    }

    /** Returns the problems, then the configuration without its secrets. */
    private static String rendered(Path file, Parsed parsed) {
        StringBuilder text = new StringBuilder();
        for (Problem problem : parsed.problems(FileUse.EXIT_NODE)) {
            text.append(problem.toString().replace(file.getParent() + "/", "")).append('\n');
        }
        parsed.config()
                .ifPresent(config -> text.append("--- ")
                        .append(config.name())
                        .append('\n')
                        .append(WireGuardText.withoutSecrets(config)));
        return text.toString();
    }

    private static WireGuardConfig withoutLines(WireGuardConfig config) {
        List<Hook> hooks = config.hooks().stream()
                .map(hook -> new Hook(hook.key(), hook.command(), 0, hook.intent()))
                .toList();
        return new WireGuardConfig(
                config.name(),
                config.privateKey(),
                config.addresses(),
                config.dnsServers(),
                config.searchDomains(),
                config.listenPort(),
                config.fwMark(),
                config.mtu(),
                config.table(),
                config.saveConfig(),
                hooks,
                config.peers());
    }

    private static List<String> keys(Path file) throws IOException {
        return matches(file, "[A-Za-z0-9+/]{43}=");
    }

    /** Returns the values of {@code PrivateKey}, {@code PresharedKey} and similar keys, complete or in parts. */
    private static List<String> secretKeys(Path file) throws IOException {
        return matches(
                        file,
                        "(?<=(PrivateKey|PresharedKey|ProtectionKey) ?= ?\"?)[A-Za-z0-9+/]{20,}=?(\\s+[A-Za-z0-9+/]{4,}=)?")
                .stream()
                .flatMap(key -> Stream.of(key.split("\\s+")))
                .toList();
    }

    private static List<String> matches(Path file, String pattern) throws IOException {
        String text = Files.readString(file, StandardCharsets.ISO_8859_1).replace("\0", "");
        return Pattern.compile(pattern)
                .matcher(text)
                .results()
                .map(result -> result.group())
                .toList();
    }
}
