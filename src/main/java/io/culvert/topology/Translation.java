package io.culvert.topology;

import io.culvert.problem.Problem;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Converts a network file in JSON, such as an export of Nix, to YAML, key by key and without secrets. */
public final class Translation {

    private static final Set<String> SECRETS = Set.of("privateKey");

    /** The maximum width of lists and mappings in one line. */
    private static final int WIDTH = 90;

    private final StringBuilder text = new StringBuilder();

    private Translation() {}

    /**
     * The result of a conversion.
     *
     * @param yaml empty where the JSON could not be parsed
     */
    public record Translated(Optional<String> yaml, List<Problem> problems) {

        public Translated {
            problems = List.copyOf(problems);
        }
    }

    public static Translated of(Path file, String json) {
        Report report = new Report(file);
        Optional<Tree> tree = new TreeReader(report).read(json);
        return new Translated(
                tree.map(root -> {
                    Translation translation = new Translation();
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
        boolean long0 =
                indent == 0 && value instanceof Tree.Items items && !items.all().isEmpty();
        if (!long0 && flow.length() + used <= WIDTH) {
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
                                items.all().stream().map(Translation::flow).toList()) + "]";
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
