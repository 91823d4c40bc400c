// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Container;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The result of reading the settings.
 *
 * @param settings empty if one of the problems is an error
 * @param wireGuardFiles the tunnel's files in failover order, also if another setting is invalid, so that problems in
 *     the files are reported together with the others; empty only if that is one of the problems
 * @param wireGuardVariables the server that variables describe, which takes the place of the files
 * @param meshFile the file of the mesh, likewise
 * @param meshNode the name of this node, if that is a network file
 * @param container whether Culvert runs in a container, by the setting; empty if its value is invalid
 * @param problems errors, warnings and notes
 * @param tree the effective settings, to be shown
 * @param sources the files and directories that were read, or would be if they existed
 */
public record LoadedSettings(
        Optional<Settings> settings,
        List<Path> wireGuardFiles,
        Optional<WireGuardVariables> wireGuardVariables,
        Optional<Path> meshFile,
        Optional<String> meshNode,
        Optional<Container.Choice> container,
        List<Problem> problems,
        SettingsTree tree,
        List<Path> sources) {

    public LoadedSettings {
        wireGuardFiles = List.copyOf(wireGuardFiles);
        problems = List.copyOf(problems);
        sources = List.copyOf(sources);
    }

    /** @throws ProblemException with all problems, if one of them is an error */
    public Settings orThrow() {
        return settings.orElseThrow(() -> new ProblemException(problems));
    }
}
