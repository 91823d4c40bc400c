// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
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
 * @param directory empty if the node is configured by settings instead
 */
record ConfigDirectory(Optional<Path> directory) {

    /** A string or a comment, the only tokens of HuJSON that can contain a quote. */
    private static final Pattern TOKEN =
            Pattern.compile("\"(?:\\\\.|[^\"\\\\])*\"|//[^\n]*|/\\*.*?\\*/", Pattern.DOTALL);

    /** Go's JSON decoder matches field names case-insensitively. */
    private static final Pattern EXIT_NODE = Pattern.compile("(?i)\"exitNode\"\\s*:\\s*\"[^\"]+\"");

    static ConfigDirectory of(TailscaleSettings settings, Path root) {
        return new ConfigDirectory(
                Optional.ofNullable(settings.environment().get("TS_EXPERIMENTAL_VERSIONED_CONFIG_DIR"))
                        .filter(text -> !text.isEmpty())
                        .map(text -> root.resolve(text.replaceFirst("^/+", ""))));
    }

    /** Returns the settings in the files that are refused. Unreadable files are reported by containerboot. */
    List<Problem> problems() {
        List<Problem> problems = new ArrayList<>();
        directory.filter(Files::isDirectory).ifPresent(location -> {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(location, "*.hujson")) {
                for (Path file : files) {
                    if (EXIT_NODE
                            .matcher(withoutComments(Files.readString(file)))
                            .find()) {
                        problems.add(Problem.input(
                                Location.file(file),
                                "exitNode is not allowed: all traffic would leave through that node instead of the"
                                        + " tunnel",
                                "remove exitNode from the file"));
                    }
                }
            } catch (IOException _) {
                // Reported by containerboot, which then does not start.
            }
        });
        return problems;
    }

    private static String withoutComments(String text) {
        return TOKEN.matcher(text)
                .replaceAll(token -> token.group().startsWith("/") ? " " : Matcher.quoteReplacement(token.group()));
    }
}
