package io.culvert.settings;

import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The catalogue as a table in Markdown, for the README. */
final class SettingsTable {

    private SettingsTable() {}

    /** Lines, each with its line end. */
    static String markdown() {
        StringBuilder table =
                new StringBuilder("| setting | accepted as well | default | meaning |\n|---|---|---|---|\n");
        for (Setting<?> setting : Catalogue.all()) {
            table.append(row(List.of(
                    "`" + setting.name() + "`",
                    setting.aliases().stream().map(alias -> "`" + alias + "`").collect(Collectors.joining(", ")),
                    setting.defaultMeaning(),
                    setting.meaning()
                            + (setting.secret() ? "; best by `" + Setting.fileVariable(setting.name()) + "`" : ""))));
        }
        return table.toString();
    }

    /** What is told to Tailscale where the user says nothing. */
    static String tailscale() {
        StringBuilder table = new StringBuilder("| variable | default here |\n|---|---|\n");
        new TreeMap<>(TailscaleVariables.DEFAULTS)
                .forEach((name, text) -> table.append(row(List.of("`" + name + "`", "`" + text + "`"))));
        table.append(row(
                List.of("`--port` in `TS_TAILSCALED_EXTRA_ARGS`, `PORT`", "`" + TailscaleArguments.USUAL_PORT + "`")));
        return table.toString();
    }

    private static String row(List<String> cells) {
        return cells.stream()
                .map(cell -> cell.isEmpty() ? " " : " " + cell + " ")
                .collect(Collectors.joining("|", "|", "|\n"));
    }
}
