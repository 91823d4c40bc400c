// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.settings.Catalogue;
import io.culvert.settings.Setting;
import java.util.ArrayList;
import java.util.List;

/** Formats the catalogue of settings for {@code --help}. */
final class SettingsHelp {

    private static final String INDENT = "      ";

    private SettingsHelp() {}

    /** @param width of the terminal, in columns */
    static List<String> lines(int width) {
        List<String> lines = new ArrayList<>();
        lines.add("Settings (environment variables; NAME_FILE reads the value of NAME from a file):");
        for (Setting<?> setting : Catalogue.all()) {
            wrap("  ", String.join(", ", setting.names()), width, lines);
            String fallback = setting.defaultDescription();
            String text = setting.description() + (fallback.isEmpty() ? "" : " (default: " + fallback + ")");
            wrap(INDENT, text.replace("`", ""), width, lines);
        }
        return lines;
    }

    private static void wrap(String indent, String text, int width, List<String> lines) {
        StringBuilder line = new StringBuilder(indent);
        for (String word : text.split(" ", -1)) {
            if (line.length() + word.length() > width && !line.toString().isBlank()) {
                lines.add(line.toString().stripTrailing());
                line = new StringBuilder(INDENT);
            }
            line.append(word).append(' ');
        }
        lines.add(line.toString().stripTrailing());
    }
}
