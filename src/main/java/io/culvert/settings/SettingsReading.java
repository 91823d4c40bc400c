package io.culvert.settings;

import io.culvert.linux.Container;
import io.culvert.problem.Problem;
import io.culvert.problem.Problem.Kind;
import io.culvert.problem.ProblemException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What came of reading the settings.
 *
 * @param settings empty where a problem is an error
 * @param wireGuardFiles the tunnel's files in failover order, also where something else is wrong, so that the problems in
 *     them can be told together with the rest; empty only when that is among the problems
 * @param meshFile the mesh's file, likewise
 * @param meshNode which of its peers this is, where it is a network file
 * @param container whether this is one, as the user says; empty where that cannot be understood
 * @param problems errors, warnings and notes
 * @param tree the effective settings, for people
 */
public record SettingsReading(
        Optional<Settings> settings,
        List<Path> wireGuardFiles,
        Optional<Path> meshFile,
        Optional<String> meshNode,
        Optional<Container.Choice> container,
        List<Problem> problems,
        SettingsTree tree) {

    public SettingsReading {
        wireGuardFiles = List.copyOf(wireGuardFiles);
        problems = List.copyOf(problems);
    }

    /** @throws ProblemException with everything that was found, when a part of it is an error */
    public Settings orThrow() {
        return settings.orElseThrow(() -> new ProblemException(problems));
    }

    /** Those that do not stand in the way. */
    public List<Problem> remarks() {
        return problems.stream()
                .filter(problem -> problem.kind() == Kind.WARNING || problem.kind() == Kind.NOTE)
                .toList();
    }
}
