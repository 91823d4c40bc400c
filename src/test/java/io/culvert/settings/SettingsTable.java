// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Formats the catalogue as a table in Markdown, for the README. */
final class SettingsTable {

    private SettingsTable() {}

    /** Returns the table of settings, each line with its line end. */
    static String markdown() {
        StringBuilder table = new StringBuilder("| setting | aliases | default | meaning |\n|---|---|---|---|\n");
        for (Setting<?> setting : Catalogue.all()) {
            table.append(row(List.of(
                    "`" + setting.name() + "`",
                    setting.aliases().stream().map(alias -> "`" + alias + "`").collect(Collectors.joining(", ")),
                    setting.defaultDescription(),
                    setting.description()
                            + (setting.secret()
                                    ? "; preferably set with `" + Setting.fileVariable(setting.name()) + "`"
                                    : ""))));
        }
        return table.toString();
    }

    /** Returns the table of defaults for Tailscale's variables. */
    static String tailscale() {
        StringBuilder table = new StringBuilder("| variable | default in Culvert |\n|---|---|\n");
        new TreeMap<>(TailscaleVariables.DEFAULTS)
                .forEach((name, text) -> table.append(row(List.of("`" + name + "`", "`" + text + "`"))));
        table.append(row(List.of(
                "`--port` in `TS_TAILSCALED_EXTRA_ARGS`, `PORT`", "`" + TailscaleArguments.DEFAULT_PORT + "`")));
        return table.toString();
    }

    private static String row(List<String> cells) {
        return cells.stream()
                .map(cell -> cell.isEmpty() ? " " : " " + cell + " ")
                .collect(Collectors.joining("|", "|", "|\n"));
    }
}
