package io.culvert.proxy;

import io.culvert.linux.Privileges;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The proxy, ready to be started; it stays in the foreground, and ends its own children on SIGTERM.
 *
 * @param program absolute: never looked up in a PATH
 * @param config the file it reads
 * @param port on which it takes clients
 * @param readyText stands in the line of its output that says that clients are taken; empty where its output goes
 *     elsewhere
 * @param privileges all that it may do
 * @param temporary a directory for what its processes share; /tmp may be read-only
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
