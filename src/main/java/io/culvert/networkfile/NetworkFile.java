// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Parses network files, in YAML or JSON: subnets, groups, peers and connections as in version 1 of Wirenix, with
 * extensions (see docs/network-file.md). All errors are reported together, each with its line and column.
 */
public final class NetworkFile {

    private NetworkFile() {}

    /**
     * The result of parsing a file.
     *
     * @param topology present unless one of the problems is an error
     * @param problems all problems, in the order of the file; each location is a {@link Location.InFile}
     */
    public record Parsed(Optional<Topology> topology, List<Problem> problems) {

        public Parsed {
            problems = List.copyOf(problems);
        }
    }

    /** Reads a file. A missing or unreadable file is reported as a problem; never throws. */
    public static Parsed read(Path file) {
        NetworkFileProblems report = new NetworkFileProblems(file);
        Optional<String> text = text(file, report);
        return parsed(report, text.flatMap(content -> topology(content, report)));
    }

    /** Parses a text. {@code file} is its name, to whose directory relative paths refer. Never throws. */
    public static Parsed parse(Path file, String text) {
        NetworkFileProblems report = new NetworkFileProblems(file);
        return parsed(report, topology(text, report));
    }

    private static Parsed parsed(NetworkFileProblems report, Optional<Topology> topology) {
        return new Parsed(topology, report.inOrder());
    }

    private static Optional<Topology> topology(String text, NetworkFileProblems report) {
        return new TreeReader(report)
                .read(text)
                .flatMap(new NetworkReader(report)::read)
                .flatMap(network -> {
                    PeerLinks links = new PeerLinks(network);
                    Endpoints endpoints = new Endpoints(network, links);
                    new NameChecks(network, report).run();
                    new AddressChecks(network, report).run();
                    new LinkChecks(network, links, endpoints, report).run();
                    new SiteChecks(network, links, report).run();
                    return report.hasErrors() ? Optional.empty() : Optional.of(new Topology(network, links, endpoints));
                });
    }

    private static Optional<String> text(Path file, NetworkFileProblems report) {
        try {
            byte[] bytes = Files.readAllBytes(file);
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString());
        } catch (NoSuchFileException _) {
            report.error("file not found", "check the name; for the format see docs/network-file.md");
        } catch (AccessDeniedException _) {
            report.error("permission denied", "make the file readable for the user that runs Culvert");
        } catch (CharacterCodingException _) {
            report.error("this file is not encoded in UTF-8", "convert it to UTF-8");
        } catch (IOException e) {
            report.error(
                    Files.isDirectory(file)
                            ? "this is a directory, not a file"
                            : "cannot read this file: " + e.getMessage(),
                    "use the path of the network file");
        }
        return Optional.empty();
    }
}
