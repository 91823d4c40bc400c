// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.diagnostics.Problem;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Converts a network file in JSON, such as an export of Nix, to YAML, key by key and without secrets. */
public final class YamlConversion {

    private static final Set<String> SECRETS = Set.of("privateKey");

    /** The maximum width of lists and mappings in one line. */
    private static final int WIDTH = 90;

    private final StringBuilder text = new StringBuilder();

    private YamlConversion() {}

    /**
     * The result of a conversion.
     *
     * @param yaml empty where the JSON could not be parsed
     */
    public record ConvertedYaml(Optional<String> yaml, List<Problem> problems) {

        public ConvertedYaml {
            problems = List.copyOf(problems);
        }
    }

    public static ConvertedYaml of(Path file, String json) {
        NetworkFileProblems report = new NetworkFileProblems(file);
        Optional<Tree> tree = new TreeReader(report).read(json);
        return new ConvertedYaml(
                tree.map(root -> {
                    YamlConversion translation = new YamlConversion();
                    translation.block(root, 0);
                    return translation.text.toString();
                }),
                tree.isPresent() ? NetworkFile.parse(file, json).problems() : report.inOrder());
    }

    private void block(Tree tree, int indent) {
        switch (tree) {
            case Tree.Entries entries -> {
                for (Tree.Entry entry : entries.all()) {
                    if (!SECRETS.contains(entry.key().text())) {
                        text.append(" ".repeat(indent))
                                .append(word(entry.key()))
                                .append(':');
                        value(entry.value(), indent, indent + entry.key().text().length(), indent + 2);
                    }
                }
            }
            case Tree.Items items -> {
                for (Tree item : items.all()) {
                    text.append(" ".repeat(indent)).append('-');
                    String flow = flow(item);
                    if (flow.length() + indent <= WIDTH) {
                        text.append(' ').append(flow).append('\n');
                    } else {
                        int start = text.length();
                        block(item, indent + 2);
                        // The first line follows the dash.
                        text.replace(start, start + indent + 2, " ");
                    }
                }
            }
            case Tree.Scalar scalar ->
                text.append(" ".repeat(indent)).append(word(scalar)).append('\n');
        }
    }

    private void value(Tree value, int indent, int used, int deeper) {
        String flow = flow(value);
        boolean isTopLevelList =
                indent == 0 && value instanceof Tree.Items items && !items.all().isEmpty();
        if (!isTopLevelList && flow.length() + used <= WIDTH) {
            text.append(' ').append(flow).append('\n');
        } else {
            text.append('\n');
            block(value, deeper);
        }
    }

    private static String flow(Tree tree) {
        return switch (tree) {
            case Tree.Scalar scalar -> word(scalar);
            case Tree.Items items ->
                "["
                        + String.join(
                                ", ",
                                items.all().stream().map(YamlConversion::flow).toList()) + "]";
            case Tree.Entries entries ->
                "{"
                        + String.join(
                                ", ",
                                entries.all().stream()
                                        .filter(entry ->
                                                !SECRETS.contains(entry.key().text()))
                                        .map(entry -> word(entry.key()) + ": " + flow(entry.value()))
                                        .toList())
                        + "}";
        };
    }

    private static String word(Tree.Scalar scalar) {
        return scalar.plain() ? scalar.text() : YamlWord.of(scalar.text());
    }
}
