// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import static java.util.stream.Collectors.joining;

import io.culvert.settings.Catalogue;
import io.culvert.settings.Setting;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * Generates man pages, in the macros of man(7), and shell completion from the commands. This is not part of the program,
 * which would become larger by it.
 */
final class ShareFiles {

    private static final String EXIT_STATUS = "Exit status: ";

    private ShareFiles() {}

    /** Writes all files to a directory such as /usr/local/share; the second argument is the date of the man pages. */
    public static void main(String... args) throws IOException {
        CommandLine culvert = new Commands(CommandEnvironment.real()).all();
        Path share = Path.of(args[0]);
        Path man = Files.createDirectories(share.resolve("man/man1"));
        for (Map.Entry<String, String> page : manPages(culvert, args[1]).entrySet()) {
            Files.writeString(man.resolve(page.getKey() + ".1"), page.getValue());
        }
        Path completions = Files.createDirectories(share.resolve("bash-completion/completions"));
        Files.writeString(completions.resolve("culvert"), completion(culvert));
    }

    /** Returns the completion for bash, which zsh can read too. */
    static String completion(CommandLine culvert) {
        return AutoComplete.bash(culvert.getCommandName(), new CommandLine(withFiles(culvert.getCommandSpec())));
    }

    /** Returns a copy of a command in which paths have the type of files, for picocli to complete them. */
    private static CommandSpec withFiles(CommandSpec command) {
        CommandSpec copy = CommandSpec.create().name(command.name());
        shown(command.options()).map(ShareFiles::withFile).forEach(copy::addOption);
        shown(command.positionalParameters()).map(ShareFiles::withFile).forEach(copy::addPositional);
        children(command).forEach(child -> copy.addSubcommand(child.name(), withFiles(child)));
        return copy;
    }

    private static OptionSpec withFile(OptionSpec option) {
        return isPath(option)
                ? OptionSpec.builder(option.names())
                        .type(File.class)
                        .arity(option.arity())
                        .build()
                : option;
    }

    private static PositionalParamSpec withFile(PositionalParamSpec parameter) {
        return isPath(parameter)
                ? PositionalParamSpec.builder()
                        .type(File.class)
                        .index(parameter.index())
                        .build()
                : parameter;
    }

    private static boolean isPath(ArgSpec argument) {
        return List.of("FILE", "FILES", "DIR").contains(argument.paramLabel());
    }

    /** Returns the man page of each command by its name, such as {@code culvert-tunnel-up}. */
    static Map<String, String> manPages(CommandLine culvert, String date) {
        Map<String, String> pages = new TreeMap<>();
        visible(culvert).forEach(command -> pages.put(pageName(command), page(command, date)));
        return pages;
    }

    /** Returns a command and all commands below it, without those for internal use. */
    static Stream<CommandSpec> visible(CommandLine command) {
        return Stream.concat(
                Stream.of(command.getCommandSpec()),
                children(command.getCommandSpec()).flatMap(child -> visible(child.commandLine())));
    }

    private static Stream<CommandSpec> children(CommandSpec command) {
        return command.subcommands().values().stream()
                .map(CommandLine::getCommandSpec)
                .filter(child -> !child.usageMessage().hidden());
    }

    private static String pageName(CommandSpec command) {
        return command.qualifiedName("-");
    }

    private static String page(CommandSpec command, String date) {
        String[] description = command.usageMessage().description();
        StringBuilder page = new StringBuilder(".TH %s 1 %s \"%s\" \"Culvert manual\"\n.nh\n.ad l\n"
                .formatted(roff(pageName(command).toUpperCase(Locale.ROOT)), date, roff(command.version()[0])));
        section(page, "NAME", roff(pageName(command)) + " \\- " + roff(summary(description[0])));
        section(page, "SYNOPSIS", bold(command.qualifiedName()) + arguments(command));
        section(
                page,
                "DESCRIPTION",
                Stream.of(description).map(ShareFiles::roff).collect(joining("\n.PP\n")));
        entries(page, "ARGUMENTS", shown(command.positionalParameters()).map(ShareFiles::entry));
        entries(page, "OPTIONS", shown(command.options()).map(ShareFiles::entry));
        entries(
                page,
                "COMMANDS",
                children(command)
                        .map(child -> entry(
                                reference(child), roff(child.usageMessage().description()[0]))));
        for (String footer : command.usageMessage().footer()) {
            boolean status = footer.startsWith(EXIT_STATUS);
            section(page, status ? "EXIT STATUS" : "NOTES", roff(status ? exitStatus(footer) : footer));
        }
        if (pageName(command).equals("culvert-up")) {
            section(page, "ENVIRONMENT", roff("NAME_FILE reads the value of the variable NAME from a file."));
            Catalogue.all()
                    .forEach(setting -> page.append(entry(bold(String.join(", ", setting.names())), text(setting))));
        }
        Stream<CommandSpec> related = command.parent() == null ? children(command) : Stream.of(command.parent());
        section(page, "SEE ALSO", related.map(ShareFiles::reference).collect(joining(",\n")));
        return page.toString();
    }

    private static void section(StringBuilder page, String title, String text) {
        page.append(".SH ").append(title).append('\n').append(text).append('\n');
    }

    private static void entries(StringBuilder page, String title, Stream<String> entries) {
        String all = entries.collect(joining());
        page.append(all.isEmpty() ? "" : ".SH " + title + "\n" + all);
    }

    private static String entry(String term, String text) {
        return ".TP\n" + term + "\n" + text + "\n";
    }

    private static String entry(ArgSpec argument) {
        return entry(term(argument, ", "), roff(String.join(" ", argument.description())));
    }

    private static <T extends ArgSpec> Stream<T> shown(List<T> arguments) {
        return arguments.stream().filter(argument -> !argument.hidden());
    }

    /** Returns the names and the value of an option, or the label of a positional argument. */
    private static String term(ArgSpec argument, String separator) {
        String label = "\\fI" + roff(argument.paramLabel()) + "\\fR"
                + (argument.arity().max() > 1 ? "..." : "");
        if (!(argument instanceof OptionSpec option)) {
            return label;
        }
        String names = Stream.of(option.names()).map(ShareFiles::bold).collect(joining(separator));
        return option.arity().max() == 0 ? names : names + " " + label;
    }

    private static String arguments(CommandSpec command) {
        Stream<String> own = Stream.concat(
                        shown(command.options()).filter(option -> !option.usageHelp() && !option.versionHelp()),
                        shown(command.positionalParameters()))
                .map(argument -> argument.required() ? term(argument, "|") : "[" + term(argument, "|") + "]");
        Stream<String> below = children(command).findAny().isPresent() ? Stream.of("[\\fICOMMAND\\fR]") : Stream.of();
        return Stream.concat(own, below).map(argument -> "\n" + argument).collect(joining());
    }

    private static String text(Setting<?> setting) {
        String fallback = setting.defaultDescription();
        return roff(setting.description() + (fallback.isEmpty() ? "" : " (default: " + fallback + ")"))
                .replaceAll("`([^`]*)`", "\\\\fB$1\\\\fR");
    }

    /** Returns the first sentence without its full stop, as whatis(1) shows it. */
    private static String summary(String description) {
        return description.split("\\.( |$)", 2)[0];
    }

    private static String exitStatus(String footer) {
        return footer.substring(EXIT_STATUS.length(), EXIT_STATUS.length() + 1).toUpperCase(Locale.ROOT)
                + footer.substring(EXIT_STATUS.length() + 1);
    }

    private static String reference(CommandSpec command) {
        return bold(pageName(command)) + "(1)";
    }

    private static String bold(String text) {
        return "\\fB" + roff(text) + "\\fR";
    }

    /** Returns text of one line without characters that roff interprets. */
    private static String roff(String text) {
        String escaped = text.replace("\\", "\\e")
                .replace("-", "\\-")
                .replace("'", "\\(aq")
                .replace("~", "\\(ti")
                .replace("^", "\\(ha");
        return escaped.startsWith(".") ? "\\&" + escaped : escaped;
    }
}
