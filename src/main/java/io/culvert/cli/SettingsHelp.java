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
            lines.add("  " + String.join(", ", setting.names()));
            String fallback = setting.defaultMeaning();
            wrap(setting.meaning() + (fallback.isEmpty() ? "" : " (default: " + fallback + ")"), width, lines);
        }
        return lines;
    }

    private static void wrap(String markdown, int width, List<String> lines) {
        StringBuilder line = new StringBuilder(INDENT);
        for (String word : markdown.replace("`", "").split(" ", -1)) {
            if (line.length() + word.length() > width && line.length() > INDENT.length()) {
                lines.add(line.toString().stripTrailing());
                line = new StringBuilder(INDENT);
            }
            line.append(word).append(' ');
        }
        lines.add(line.toString().stripTrailing());
    }
}
