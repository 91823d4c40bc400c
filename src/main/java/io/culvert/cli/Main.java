package io.culvert.cli;

import io.culvert.linux.NativeImage;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** Where the program starts: one command line, one map from failures to exit statuses. */
@QuarkusMain
public final class Main implements QuarkusApplication {

    private static final int WIDTH = 100;

    public static void main(String... args) {
        NativeImage.useLibraryBesideExecutable();
        Quarkus.run(Main.class, args);
    }

    @Override
    public int run(String... args) {
        CommandLine commandLine = commandLine(new Culvert());
        try {
            return commandLine.execute(args);
        } catch (LinkageError e) {
            // Such as a library of the system that is not there; picocli hands on exceptions only.
            commandLine.getErr().println(Failures.unforeseen(e, "culvert"));
            return 1;
        }
    }

    static CommandLine commandLine(Culvert top) {
        CommandLine commandLine = new CommandLine(top)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpWidth(WIDTH)
                .setParameterExceptionHandler(Failures::wrongUse)
                .setExecutionExceptionHandler(Failures::failed);
        versions(commandLine);
        settings(Objects.requireNonNull(commandLine.getSubcommands().get("up")).getCommandSpec());
        return commandLine;
    }

    private static void versions(CommandLine commandLine) {
        commandLine.getCommandSpec().versionProvider(new Version());
        commandLine.getSubcommands().values().forEach(Main::versions);
    }

    private static void settings(CommandSpec up) {
        List<String> lines = new ArrayList<>(List.of(up.usageMessage().footer()));
        lines.add("");
        SettingsHelp.lines(WIDTH).stream().map(line -> line.replace("%", "%%")).forEach(lines::add);
        up.usageMessage().footer(lines.toArray(String[]::new));
    }
}
