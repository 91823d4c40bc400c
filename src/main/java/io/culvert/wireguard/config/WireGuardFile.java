// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.net.InterfaceName;
import io.culvert.wireguard.config.FileProblem.Reason.Plain;
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
     * @param problems all problems, in the order of the file
     */
    public record Parsed(Path file, Optional<WireGuardConfig> config, List<FileProblem> problems) {

        public Parsed {
            problems = List.copyOf(problems);
        }

        /** Returns the problems in words; each location is a {@link Location.InFile}. */
        public List<Problem> problems(FileUse use) {
            FileProblemText text = new FileProblemText(file, use);
            return problems.stream().map(text::of).toList();
        }
    }

    /** Reads a file. A missing, unreadable, too large or binary file is reported as a problem; never throws. */
    public static Parsed read(Path file) {
        return read(file, new FileProblems(false));
    }

    /**
     * Reads a file that may be incomplete: wg-quick accepts one without addresses, which may come from DHCP, and one
     * without peers, which may be added later. What is missing is reported as a note.
     */
    public static Parsed readPartial(Path file) {
        return read(file, new FileProblems(true));
    }

    private static Parsed read(Path file, FileProblems report) {
        Optional<String> text = new FileBytes(file, report).text();
        return parsed(file, report, text.flatMap(content -> config(file, content, report)));
    }

    /** Parses a text; {@code file} determines the interface name. Never throws. */
    public static Parsed parse(Path file, String text) {
        FileProblems report = new FileProblems(false);
        return parsed(file, report, config(file, text, report));
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

    private static Parsed parsed(Path file, FileProblems report, Optional<WireGuardConfig> config) {
        return new Parsed(file, config.filter(_ -> !report.hasErrors()), report.sorted());
    }

    private static Optional<WireGuardConfig> config(Path file, String text, FileProblems report) {
        List<String> lines = FileLines.of(text, report);
        if (text.isBlank()) {
            report.error(Plain.EMPTY_FILE);
            return Optional.empty();
        }
        if (lines.stream().noneMatch(line -> ANY_SECTION.matcher(line).find())) {
            report.error(Plain.NO_SECTION);
            return Optional.empty();
        }
        FileOutline outline = FileOutline.of(lines, report);
        PeerReader peerReader = new PeerReader(report);
        List<Peer> peers = peerReader.read(outline.peers());
        if (outline.peers().isEmpty()) {
            report.missing(outline.firstHeader(), Plain.NO_PEER);
        }
        if (outline.interfaceSection().isEmpty()) {
            report.error(outline.firstHeader(), Plain.NO_INTERFACE);
            return Optional.empty();
        }
        Optional<WireGuardConfig> config = new InterfaceReader(
                        outline.interfaceSection().get(), report)
                .read(interfaceName(file).orElse(DEFAULT_NAME), peers);
        config.map(WireGuardConfig::privateKey).ifPresent(peerReader::reportOwnKey);
        return config;
    }
}
