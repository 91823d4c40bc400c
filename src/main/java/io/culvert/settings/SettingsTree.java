// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.settings.Setting.Group;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The effective settings as a tree: each setting that the user set with its origin, one line for the defaults of each
 * group, and no secrets.
 */
public final class SettingsTree {

    private final SettingValues values;
    private final List<Path> tunnel;
    private final List<String> tailscale;
    private final Map<String, String> translated;

    /**
     * @param variables the names of all environment variables
     * @param translated the variable that set a setting by another program's name
     */
    SettingsTree(SettingValues values, List<Path> tunnel, Set<String> variables, Map<String, String> translated) {
        this.values = values;
        this.translated = Map.copyOf(translated);
        this.tunnel = List.copyOf(tunnel);
        this.tailscale = variables.stream()
                .filter(name -> name.startsWith(TailscaleNames.PREFIX))
                .sorted()
                .toList();
    }

    /** Returns the tree, without a line end after the last line. */
    @Override
    public String toString() {
        List<String> lines = new ArrayList<>();
        lines.add("Settings");
        List<Group> groups = List.of(Group.values());
        for (Group group : groups) {
            boolean last = group == groups.getLast();
            lines.add((last ? "└── " : "├── ") + group);
            List<String> leaves = leaves(group);
            for (int i = 0; i < leaves.size(); i++) {
                lines.add((last ? "    " : "│   ") + (i + 1 == leaves.size() ? "└── " : "├── ") + leaves.get(i));
            }
        }
        return String.join("\n", lines);
    }

    private List<String> leaves(Group group) {
        List<String> leaves = new ArrayList<>();
        List<String> defaults = new ArrayList<>();
        for (SettingValue<?> value : values.all()) {
            if (value.setting().group() != group) {
                continue;
            }
            if (!value.isDefault()) {
                leaves.add(label(value) + ": " + shown(value) + "  ← " + origin(value.origin()));
            } else if (!shown(value).isEmpty()) {
                defaults.add(label(value) + ": " + shown(value));
            }
        }
        if (group == Group.MESH) {
            // The values are never shown: an authentication key may be in several of these variables.
            tailscale.forEach(name -> leaves.add(name + ": [set]"));
        }
        if (!defaults.isEmpty()) {
            leaves.add("by default  " + String.join("; ", defaults));
        }
        return leaves;
    }

    private String origin(Origin origin) {
        return origin instanceof Origin.Variable(String name, boolean _) && translated.containsKey(name)
                ? translated.get(name)
                : origin.toString();
    }

    private String shown(SettingValue<?> value) {
        if (value.setting().equals(Catalogue.WIREGUARD_CONFIG)) {
            return tunnel.isEmpty()
                    ? "[not found]"
                    : tunnel.stream().map(Path::toString).collect(Collectors.joining(", then "));
        }
        return value.shown();
    }

    private static String label(SettingValue<?> value) {
        return value.setting()
                .name()
                .replaceFirst("^(CULVERT|TSWG)_", "")
                .toLowerCase(Locale.ROOT)
                .replace('_', ' ');
    }
}
