package io.culvert.settings;

import io.culvert.problem.DidYouMean;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The names that are settings; one that is close to them but none of them is a mistake, and not silently ignored. */
final class Names {

    private static final List<String> PREFIXES = List.of("CULVERT_", "TSWG_");

    private static final Set<String> KNOWN = known();

    private Names() {}

    /** Every name, every alias, and each again with {@code _FILE}. */
    static Set<String> all() {
        return KNOWN;
    }

    /** Tells of every name that begins as ours do, but is unknown. */
    static void check(Collection<String> names, Problems problems) {
        names.stream()
                .filter(name -> PREFIXES.stream().anyMatch(name::startsWith))
                .filter(name -> !KNOWN.contains(name))
                .sorted()
                .forEach(name -> problems.add(Problem.input(
                        Place.setting(name),
                        "is no setting of Culvert",
                        closest(name)
                                .map(known -> "did you mean " + known + "?")
                                .orElse("remove it; 'culvert up --help' lists all settings"))));
    }

    /** Judges what stands behind the prefix, which all have in common; among equals, one with the same prefix. */
    private static Optional<String> closest(String name) {
        String prefix = PREFIXES.stream().filter(name::startsWith).findFirst().orElseThrow();
        List<String> rests = KNOWN.stream().map(Names::rest).toList();
        return DidYouMean.nearest(rest(name), rests)
                .map(rest -> KNOWN.contains(prefix + rest)
                        ? prefix + rest
                        : KNOWN.stream()
                                .filter(known -> rest(known).equals(rest))
                                .findFirst()
                                .orElseThrow());
    }

    private static String rest(String name) {
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
