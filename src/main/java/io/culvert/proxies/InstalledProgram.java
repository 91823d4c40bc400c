// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The program of a proxy server on this machine.
 *
 * @param root the root directory of the container
 * @param protocol such as {@code SOCKS}
 * @param name such as {@code Dante}
 * @param paths where it may be, relative to the root directory
 * @param debianPackage the package that has it
 * @param setting the variable that enables it
 */
record InstalledProgram(
        Path root, String protocol, String name, List<String> paths, String debianPackage, String setting) {

    /** Returns the path of the program. */
    Path path() {
        return find().orElseThrow(() -> new ProblemException(notInstalled()));
    }

    /** Returns the unmet requirement that it is installed. */
    Optional<Problem> missing() {
        return find().isPresent() ? Optional.empty() : Optional.of(notInstalled());
    }

    private Optional<Path> find() {
        return paths.stream().map(root::resolve).filter(Files::isExecutable).findFirst();
    }

    private Problem notInstalled() {
        return Problem.machine(
                Location.machine(protocol),
                name + " is not installed: none of /" + String.join(", /", paths) + " exists",
                "install it (Debian: " + debianPackage + "), or unset " + setting);
    }
}
