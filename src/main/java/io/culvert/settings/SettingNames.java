// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.DidYouMean;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The names of all settings. A name that is similar to one of them but unknown is reported, not silently ignored. */
final class SettingNames {

    private static final List<String> PREFIXES = List.of("CULVERT_", "TSWG_");

    private static final Set<String> KNOWN = known();

    private SettingNames() {}

    /** Returns every name and alias, and each with {@code _FILE} appended. */
    static Set<String> all() {
        return KNOWN;
    }

    /** Reports every unknown name with a prefix of Culvert's settings. */
    static void check(Collection<String> names, Problems problems) {
        names.stream()
                .filter(name -> PREFIXES.stream().anyMatch(name::startsWith))
                .filter(name -> !KNOWN.contains(name))
                .sorted()
                .forEach(name -> problems.add(Problem.input(
                        Location.setting(name),
                        "unknown setting",
                        closest(name)
                                .map(known -> "did you mean " + known + "?")
                                .orElse("remove it, or see 'culvert up --help' for all settings"))));
    }

    /**
     * Returns the most similar known name. Compares what follows the prefix, which all names share; of equally similar
     * ones, a name with the same prefix wins.
     */
    private static Optional<String> closest(String name) {
        String prefix = PREFIXES.stream().filter(name::startsWith).findFirst().orElseThrow();
        List<String> suffixes = KNOWN.stream().map(SettingNames::suffix).toList();
        return DidYouMean.nearest(suffix(name), suffixes)
                .map(suffix -> KNOWN.contains(prefix + suffix)
                        ? prefix + suffix
                        : KNOWN.stream()
                                .filter(known -> suffix(known).equals(suffix))
                                .findFirst()
                                .orElseThrow());
    }

    private static String suffix(String name) {
        return PREFIXES.stream()
                .filter(name::startsWith)
                .findFirst()
                .map(prefix -> name.substring(prefix.length()))
                .orElse(name);
    }

    private static Set<String> known() {
        Set<String> known = new LinkedHashSet<>();
        for (Setting<?> setting : Catalogue.all()) {
            known.addAll(setting.names());
        }
        List.copyOf(known).forEach(name -> known.add(Setting.fileVariable(name)));
        return known;
    }
}
