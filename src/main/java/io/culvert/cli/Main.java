package io.culvert.cli;

import io.culvert.linux.NativeImage;
import io.culvert.linux.StandardStreams;
import io.culvert.process.WriteSignals;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;

/**
 * Where the program starts. Quarkus builds, packs and compiles the program; its runtime, which takes longer to start than the
 * guard, is not started.
 */
@QuarkusMain
public final class Main {

    private static final String OPTION = "-Dculvert.";

    private Main() {}

    public static void main(String... args) {
        StandardStreams.openMissing();
        WriteSignals.reportAsErrors();
        // Else numbers come out in the digits of the machine's language, also in files for other programs.
        Locale.setDefault(Locale.ROOT);
        NativeImage.useLibraryBesideExecutable();
        // Nobody reads what libraries log, so nobody needs to be told that it goes nowhere.
        System.setProperty("slf4j.internal.verbosity", "ERROR");
        // What Quarkus brings along for logging complains otherwise, as soon as a library logs.
        System.setProperty("java.util.logging.manager", "org.jboss.logmanager.LogManager");
        // It would look the machine's own name up, by DNS where it is not in /etc/hosts: in clear, before the kill
        // switch.
        for (String name : List.of("jboss.qualified.host.name", "jboss.host.name", "jboss.node.name")) {
            System.setProperty(name, "localhost");
        }
        // JNA logs as soon as it is used. A record would also look this user's name up, which may be asked of a service
        // or
        // of the network (nsswitch.conf(5)).
        Logger.getLogger("").setLevel(Level.OFF);
        int status = run(withoutOptions(args));
        System.out.flush();
        System.err.flush();
        // All is undone by now. System.exit would first set a logger up, to tell it of the exit.
        Runtime.getRuntime().halt(status);
    }

    /**
     * The launcher's options come first. A native program's runtime would take such out of the whole command line, and so out
     * of a confined program's arguments; therefore it is built to leave them alone.
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
        CommandLine line = new Commands(Console.real()).line();
        try {
            return line.execute(args);
        } catch (LinkageError e) {
            // Such as a library of the system that is not there; picocli hands on exceptions only.
            line.getErr().println(Failures.unforeseen(e, "culvert"));
            line.getErr().flush();
            return 1;
        }
    }
}
