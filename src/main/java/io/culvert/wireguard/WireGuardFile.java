package io.culvert.wireguard;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Reads wg-quick files as providers write them: the grammar of wg(8) and wg-quick(8), with every mistake located. Hooks
 * are listed and never run.
 */
public final class WireGuardFile {

    /** {@code IFNAMSIZ} with its final zero is 16 (include/uapi/linux/if.h); the characters are wg-quick's. */
    private static final Pattern INTERFACE_NAME = Pattern.compile("(?!\\.{1,2}$)[a-zA-Z0-9_=+.-]{1,15}");

    private static final Pattern ANY_SECTION = Pattern.compile("(?im)^\\s*\\[\\s*(interface|peer)");

    private static final String SUFFIX = ".conf";

    private static final String DEFAULT_NAME = "wg0";

    private WireGuardFile() {}

    /**
     * What a file holds.
     *
     * @param config present when none of the problems is an error
     * @param problems all of them, in the file's order; each place is a {@link Place.InFile}
     */
    public record Parsed(Optional<WireGuardConfig> config, List<Problem> problems) {

        public Parsed {
            problems = List.copyOf(problems);
        }
    }

    /** Reads a file; that it is missing, unreadable, too large or binary is a problem, too. Never throws. */
    public static Parsed read(Path file) {
        Report report = new Report(file);
        Optional<String> text = new FileBytes(file, report).text();
        return parsed(report, text.flatMap(content -> config(file, content, report)));
    }

    /**
     * The same, of a file that need not be whole: wg-quick takes one without addresses, which may come by DHCP, and one without
     * peers, which may be added later. What it lacks is a note.
     */
    public static Parsed readPart(Path file) {
        Report report = Report.ofPart(file);
        Optional<String> text = new FileBytes(file, report).text();
        return parsed(report, text.flatMap(content -> config(file, content, report)));
    }

    /** Reads a text; {@code file} gives it a name. Never throws. */
    public static Parsed parse(Path file, String text) {
        Report report = new Report(file);
        return parsed(report, config(file, text, report));
    }

    /** The name wg-quick gives the interface: the file's without {@code .conf}; empty where it cannot be one. */
    public static Optional<String> interfaceName(Path file) {
        return Optional.of(baseName(file))
                .filter(name -> INTERFACE_NAME.matcher(name).matches());
    }

    /** For commands that name the interface after the file: what is wrong with that name, if anything. */
    public static Optional<Problem> interfaceNameProblem(Path file) {
        if (interfaceName(file).isPresent()) {
            return Optional.empty();
        }
        String name = baseName(file);
        String better = name.replaceAll("[^a-zA-Z0-9_=+.-]+", "-").replaceAll("^[-.]+", "");
        better = better.substring(0, Math.min(15, better.length())).replaceAll("[-.]+$", "");
        return Optional.of(Problem.input(
                Place.file(file),
                "the interface cannot be called '" + name
                        + "': a name has 1 to 15 of the characters a-z A-Z 0-9 _ = + . -",
                "rename the file, for example to " + (better.isEmpty() ? "wg0" : better) + SUFFIX));
    }

    private static String baseName(Path file) {
        String name = file.getFileName() == null ? "" : file.getFileName().toString();
        return name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
    }

    private static Parsed parsed(Report report, Optional<WireGuardConfig> config) {
        return new Parsed(config.filter(_ -> !report.hasErrors()), report.inOrder());
    }

    private static Optional<WireGuardConfig> config(Path file, String text, Report report) {
        List<String> lines = Lines.of(text, report);
        if (text.isBlank()) {
            report.error("this file is empty", "put the file there that your provider offers for WireGuard");
            return Optional.empty();
        }
        if (lines.stream().noneMatch(line -> ANY_SECTION.matcher(line).find())) {
            report.error(
                    "this is no WireGuard file: it has neither [Interface] nor [Peer]",
                    "put the file there that your provider offers for WireGuard");
            return Optional.empty();
        }
        Outline outline = Outline.of(lines, report);
        PeerReader peerReader = new PeerReader(report);
        List<Peer> peers = peerReader.read(outline.peers());
        if (outline.peers().isEmpty()) {
            report.absent(
                    "there is no [Peer] section",
                    "add the one of your server",
                    "the tunnel leads nowhere before a peer is added");
        }
        if (outline.wgInterface().isEmpty()) {
            report.error("there is no [Interface] section", "add it, with PrivateKey and Address");
            return Optional.empty();
        }
        Optional<WireGuardConfig> config = new InterfaceReader(
                        outline.wgInterface().get(), report)
                .read(interfaceName(file).orElse(DEFAULT_NAME), peers);
        config.map(WireGuardConfig::privateKey).ifPresent(peerReader::refuseOwnKey);
        return config;
    }
}
