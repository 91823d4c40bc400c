// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.net.InterfaceName;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Parses wg-quick files as providers write them, by the grammar of wg(8) and wg-quick(8), and reports every mistake
 * with its line and column. Hooks are listed and never run.
 */
public final class WireGuardFile {

    /** {@code IFNAMSIZ} with its final zero is 16 (include/uapi/linux/if.h); the characters are wg-quick's. */
    private static final Pattern ANY_SECTION = Pattern.compile("(?im)^\\s*\\[\\s*(interface|peer)");

    private static final String SUFFIX = ".conf";

    private static final String DEFAULT_NAME = "wg0";

    private WireGuardFile() {}

    /**
     * The result of parsing a file.
     *
     * @param config present unless one of the problems is an error
     * @param problems all problems, in the order of the file; each location is a {@link Location.InFile}
     */
    public record Parsed(Optional<WireGuardConfig> config, List<Problem> problems) {

        public Parsed {
            problems = List.copyOf(problems);
        }
    }

    /**
     * Reads a file for an exit node. A missing, unreadable, too large or binary file is reported as a problem; never
     * throws.
     */
    public static Parsed read(Path file) {
        return read(file, HookProblems::forExitNode);
    }

    /** Reads a file for another use. */
    public static Parsed read(Path file, HookProblems hooks) {
        return read(file, new FileProblems(file, false, hooks));
    }

    /**
     * Reads a file that may be incomplete: wg-quick accepts one without addresses, which may come from DHCP, and one
     * without peers, which may be added later. What is missing is reported as a note.
     */
    public static Parsed readPartial(Path file, HookProblems hooks) {
        return read(file, new FileProblems(file, true, hooks));
    }

    private static Parsed read(Path file, FileProblems report) {
        Optional<String> text = new FileBytes(file, report).text();
        return parsed(report, text.flatMap(content -> config(file, content, report)));
    }

    /** Parses a text for an exit node; {@code file} determines the interface name. Never throws. */
    public static Parsed parse(Path file, String text) {
        FileProblems report = new FileProblems(file, false, HookProblems::forExitNode);
        return parsed(report, config(file, text, report));
    }

    /** Returns the interface name as wg-quick derives it, the file name without {@code .conf}; empty if invalid. */
    public static Optional<String> interfaceName(Path file) {
        return Optional.of(baseName(file)).filter(InterfaceName::isValid);
    }

    /** Returns an error if the file name is not a valid interface name. */
    public static Optional<Problem> interfaceNameProblem(Path file) {
        if (interfaceName(file).isPresent()) {
            return Optional.empty();
        }
        String name = baseName(file);
        String suggestion = name.replaceAll("[^a-zA-Z0-9_=+.-]+", "-").replaceAll("^[-.]+", "");
        suggestion = suggestion
                .substring(0, Math.min(InterfaceName.MAX_LENGTH, suggestion.length()))
                .replaceAll("[-.]+$", "");
        return Optional.of(Problem.input(
                Location.file(file),
                "invalid interface name '" + name + "': it must have 1 to 15 characters of a-z A-Z 0-9 _ = + . -",
                "rename the file, for example to " + (suggestion.isEmpty() ? "wg0" : suggestion) + SUFFIX));
    }

    private static String baseName(Path file) {
        String name = file.getFileName() == null ? "" : file.getFileName().toString();
        return name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
    }

    private static Parsed parsed(FileProblems report, Optional<WireGuardConfig> config) {
        return new Parsed(config.filter(_ -> !report.hasErrors()), report.sorted());
    }

    private static Optional<WireGuardConfig> config(Path file, String text, FileProblems report) {
        List<String> lines = FileLines.of(text, report);
        if (text.isBlank()) {
            report.error("this file is empty", "use the WireGuard configuration file of your provider");
            return Optional.empty();
        }
        if (lines.stream().noneMatch(line -> ANY_SECTION.matcher(line).find())) {
            report.error(
                    "this is not a WireGuard file: it has neither [Interface] nor [Peer]",
                    "use the WireGuard configuration file of your provider");
            return Optional.empty();
        }
        FileOutline outline = FileOutline.of(lines, report);
        PeerReader peerReader = new PeerReader(report);
        List<Peer> peers = peerReader.read(outline.peers());
        if (outline.peers().isEmpty()) {
            report.missing(
                    "no [Peer] section",
                    "add the section of your server",
                    "the tunnel carries no traffic until a peer is added");
        }
        if (outline.interfaceSection().isEmpty()) {
            report.error("no [Interface] section", "add one with PrivateKey and Address");
            return Optional.empty();
        }
        Optional<WireGuardConfig> config = new InterfaceReader(
                        outline.interfaceSection().get(), report)
                .read(interfaceName(file).orElse(DEFAULT_NAME), peers);
        config.map(WireGuardConfig::privateKey).ifPresent(peerReader::reportOwnKey);
        return config;
    }
}
