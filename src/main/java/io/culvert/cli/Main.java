package io.culvert.cli;

import io.culvert.linux.NativeImage;
import io.quarkus.runtime.annotations.QuarkusMain;
import picocli.CommandLine;

/**
 * Where the program starts. Quarkus builds, packs and compiles the program; its runtime, which takes longer to start than the
 * guard, is not started.
 */
@QuarkusMain
public final class Main {

    private Main() {}

    public static void main(String... args) {
        NativeImage.useLibraryBesideExecutable();
        // Nobody reads what libraries log, so nobody needs to be told that it goes nowhere.
        System.setProperty("slf4j.internal.verbosity", "ERROR");
        // What Quarkus brings along for logging complains otherwise, as soon as a library logs.
        System.setProperty("java.util.logging.manager", "org.jboss.logmanager.LogManager");
        int status = run(args);
        System.out.flush();
        System.err.flush();
        // All is undone by now. System.exit would first set a logger up, to tell it of the exit.
        Runtime.getRuntime().halt(status);
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
