// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import io.culvert.linux.Privileges;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The proxy program, ready to be started. It runs in the foreground, and ends its own children on SIGTERM.
 *
 * @param program an absolute path, never looked up in PATH
 * @param config its configuration file
 * @param port the port on which it listens
 * @param readyText part of the output line that reports that it accepts clients; empty if its output goes
 *     elsewhere
 * @param privileges its user and capabilities
 * @param temporary a directory for files shared by its processes; /tmp may be read-only
 */
public record ProxyProgram(
        Path program,
        List<String> args,
        Path config,
        int port,
        Optional<String> readyText,
        Privileges privileges,
        Path temporary) {

    public ProxyProgram {
        args = List.copyOf(args);
    }

    public Map<String, String> environment() {
        return Map.of("LANG", "C.UTF-8", "TMPDIR", temporary.toString());
    }
}
