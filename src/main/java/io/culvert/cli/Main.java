// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.exitnode.EarlyKillSwitch;
import io.culvert.linux.NativeImage;
import io.culvert.linux.StandardStreams;
import io.culvert.process.WriteSignals;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The entry point. */
@QuarkusMain
public final class Main {

    private static final String OPTION = "-Dculvert.";

    private Main() {}

    public static void main(String... args) {
        StandardStreams.openMissing();
        WriteSignals.reportAsErrors();
        // Otherwise numbers would be formatted with the digits of the machine's language, in files for other programs,
        // too.
        Locale.setDefault(Locale.ROOT);
        NativeImage.loadLibrariesFromOwnDirectory();
        // Suppresses the warning that libraries have no logger: their log is not used.
        System.setProperty("slf4j.internal.verbosity", "ERROR");
        // Otherwise Quarkus' logging library prints a warning as soon as a library logs.
        System.setProperty("java.util.logging.manager", "org.jboss.logmanager.LogManager");
        // Otherwise JBoss LogManager would resolve the machine's own name, by DNS if it is not in /etc/hosts: outside
        // the tunnel, before the kill switch is active.
        for (String name : List.of("jboss.qualified.host.name", "jboss.host.name", "jboss.node.name")) {
            System.setProperty(name, "localhost");
        }
        // JNA logs as soon as it is used. A log record would also look up the name of this user, which nsswitch.conf(5)
        // may direct to a service or to the network.
        Logger.getLogger("").setLevel(Level.OFF);
        String[] arguments = withoutOptions(args);
        EarlyKillSwitch.activateFirst(arguments);
        int status = run(arguments);
        System.out.flush();
        System.err.flush();
        // Everything has been undone here. System.exit would first set up a logger, to log the exit.
        Runtime.getRuntime().halt(status);
    }

    /**
     * Applies the launcher's options, which come first, and returns the arguments without them. The runtime of a native
     * program would take them from anywhere in the command line, and so from the arguments of a confined program;
     * therefore it is built to ignore them.
     */
    private static String[] withoutOptions(String... args) {
        int options = 0;
        while (options < args.length && args[options].startsWith(OPTION)) {
            List<String> parts = List.of(args[options].substring("-D".length()).split("=", 2));
            System.setProperty(parts.getFirst(), parts.getLast());
            options++;
        }
        return Arrays.copyOfRange(args, options, args.length);
    }

    private static int run(String... args) {
        try {
            QuarkusRuntime.start(args);
            return new Commands(CommandEnvironment.real()).of(args).execute(args);
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            // Such as a missing system library; picocli reports exceptions of commands only.
            System.err.println(ErrorReporter.unexpectedError(e, "culvert"));
            return 1;
        }
    }
}
