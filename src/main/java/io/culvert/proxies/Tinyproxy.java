// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Capabilities;
import io.culvert.net.Prefix;
import io.culvert.settings.Login;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Prepares what tinyproxy, the HTTP proxy, needs to run: its program, its configuration and its user. Its sessions leave
 * from the tunnel's addresses, for which the kill switch admits neither this machine nor its networks as a destination,
 * whatever address or name a client requests.
 */
public final class Tinyproxy {

    /** The paths of the program: Debian's, then the author's. */
    private static final List<String> PROGRAMS =
            List.of("usr/bin/tinyproxy", "usr/local/bin/tinyproxy", "usr/sbin/tinyproxy");

    /** Logged once it listens: its log begins only then, with what was logged before. */
    private static final String READY = "Reloading config file finished";

    /** Next to Dante's. */
    private static final int USER = 51821;

    /** Of connections at a time; each has a thread and two descriptors. */
    private static final int MAX_CLIENTS = 4096;

    /** The time after which a connection without traffic ends, in seconds: clients of IMAP wait up to 29 minutes (RFC 2177). */
    private static final int IDLE_SECONDS = 3600;

    private final InstalledProgram program;
    private final ProxyFiles files;

    /**
     * Does not change anything yet.
     *
     * @param root the root directory of the container
     * @param directory for the configuration and the pid file, such as {@code /run/culvert}
     */
    public Tinyproxy(Path root, Path directory) {
        this.program =
                new InstalledProgram(root, "HTTP proxy", "tinyproxy", PROGRAMS, "tinyproxy-bin", "CULVERT_HTTP_PROXY");
        this.files = new ProxyFiles(directory, "tinyproxy");
    }

    /**
     * Writes the configuration, which contains the password.
     *
     * @throws ProblemException if the program is missing or a file cannot be written
     */
    public ProxyProgram prepare(TinyproxySettings settings) {
        Path path = program.path();
        ProxyUser user = files.write(configuration(settings), ProxyUser.of(path, USER), preferred -> preferred);
        return new ProxyProgram(
                path,
                List.of("-d", "-c", files.configuration().toString()),
                files.configuration(),
                settings.port(),
                Optional.of(READY),
                user.privileges(Capabilities.requiredToListenOn(settings.port())),
                files.temporary());
    }

    /** Returns the unmet requirement that tinyproxy is installed. */
    public Optional<Problem> missingProgram() {
        return program.missing();
    }

    /** Returns the configuration (tinyproxy.conf(5)). */
    String configuration(TinyproxySettings settings) {
        List<String> lines = new ArrayList<>(List.of(
                "Port " + settings.port(),
                "PidFile \"" + files.pidFile() + "\"",
                "LogLevel Notice",
                "MaxClients " + MAX_CLIENTS,
                "Timeout " + IDLE_SECONDS,
                // It would tell each server that there is a proxy, and which version.
                "DisableViaHeader Yes"));
        settings.tunnelAddresses().forEach(address -> lines.add("Bind " + Prefix.text(address)));
        settings.clients().forEach(client -> lines.add("Allow " + client.network()));
        if (settings.clients().isEmpty()) {
            // Without any rule, it admits all clients.
            lines.add("Deny 0.0.0.0/0");
        }
        settings.login().map(Tinyproxy::basicAuth).ifPresent(lines::add);
        return String.join("\n", lines) + "\n";
    }

    private static String basicAuth(Login login) {
        return "BasicAuth " + login.user() + " " + login.password().text();
    }
}
