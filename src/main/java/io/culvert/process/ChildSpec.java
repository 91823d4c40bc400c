// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.linux.Privileges;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Describes a program to be supervised.
 *
 * @param name the name in the log, such as {@code wireguard-go}
 * @param program an absolute path: programs are never looked up in {@code PATH}, which another user may have set
 * @param environment the complete environment: nothing is inherited, so that settings, which contain secrets, do
 *     not reach a child that does not need them
 * @param privileges the child's user and capabilities
 * @param grace the time between SIGTERM and SIGKILL
 */
public record ChildSpec(
        String name,
        Path program,
        List<String> arguments,
        Map<String, String> environment,
        Privileges privileges,
        Duration grace) {

    public ChildSpec {
        if (!program.isAbsolute()) {
            throw new IllegalArgumentException("the path of " + name + " is not absolute: " + program);
        }
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
    }

    /** Omits arguments and environment, which may contain secrets. */
    @Override
    public String toString() {
        return name + " (" + program + ")";
    }
}
