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

    private static final Set<String> KNOWN = names();

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
                                .map(suggestion -> "did you mean " + suggestion + "?")
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
                                .filter(candidate -> suffix(candidate).equals(suffix))
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

    private static Set<String> names() {
        Set<String> names = new LinkedHashSet<>();
        for (Setting<?> setting : Catalogue.all()) {
            names.addAll(setting.names());
        }
        List.copyOf(names).forEach(name -> names.add(Setting.fileVariable(name)));
        return names;
    }
}
