package io.culvert.mesh.tailscale;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.settings.TailscaleSettings;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The directory of Tailscale's configuration files, {@code cap-N.hujson} (tailscale: kube/kubetypes, ipn/conf.go).
 *
 * @param directory empty where settings are used instead
 */
record ConfigDirectory(Optional<Path> directory) {

    /** A string or a comment; JSON with comments has nothing else in which a quote could stand. */
    private static final Pattern TOKEN =
            Pattern.compile("\"(?:\\\\.|[^\"\\\\])*\"|//[^\n]*|/\\*.*?\\*/", Pattern.DOTALL);

    /** Go takes the names of fields in any case. */
    private static final Pattern EXIT_NODE = Pattern.compile("(?i)\"exitNode\"\\s*:\\s*\"[^\"]+\"");

    static ConfigDirectory of(TailscaleSettings settings, Path root) {
        return new ConfigDirectory(
                Optional.ofNullable(settings.environment().get("TS_EXPERIMENTAL_VERSIONED_CONFIG_DIR"))
                        .filter(text -> !text.isEmpty())
                        .map(text -> root.resolve(text.replaceFirst("^/+", ""))));
    }

    /** What must not stand in the files. What cannot be read containerboot complains of. */
    List<Problem> problems() {
        List<Problem> problems = new ArrayList<>();
        directory.filter(Files::isDirectory).ifPresent(place -> {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(place, "*.hujson")) {
                for (Path file : files) {
                    if (EXIT_NODE
                            .matcher(withoutComments(Files.readString(file)))
                            .find()) {
                        problems.add(Problem.input(
                                Place.file(file),
                                "has exitNode, which is refused: all traffic would leave through that node instead of the"
                                        + " tunnel",
                                "delete it from the file"));
                    }
                }
            } catch (IOException _) {
                // Told by containerboot, which does not start then.
            }
        });
        return problems;
    }

    private static String withoutComments(String text) {
        return TOKEN.matcher(text)
                .replaceAll(token -> token.group().startsWith("/") ? " " : Matcher.quoteReplacement(token.group()));
    }
}
