package io.culvert.topology;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
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
 * Reads network files, in YAML or JSON: subnets, groups, peers and connections as Wirenix's version 1 has them, and more (see
 * docs/network-file.md). Every mistake is located, and all are told at once.
 */
public final class NetworkFile {

    private NetworkFile() {}

    /**
     * What a file holds.
     *
     * @param topology present when none of the problems is an error
     * @param problems all of them, in the file's order; each place is a {@link Place.InFile}
     */
    public record Parsed(Optional<Topology> topology, List<Problem> problems) {

        public Parsed {
            problems = List.copyOf(problems);
        }
    }

    /** Reads a file; that it is missing or unreadable is a problem, too. Never throws. */
    public static Parsed read(Path file) {
        Report report = new Report(file);
        Optional<String> text = text(file, report);
        return parsed(report, text.flatMap(content -> topology(content, report)));
    }

    /** Reads a text; {@code file} gives it a name, and relative paths in it their place. Never throws. */
    public static Parsed parse(Path file, String text) {
        Report report = new Report(file);
        return parsed(report, topology(text, report));
    }

    private static Parsed parsed(Report report, Optional<Topology> topology) {
        return new Parsed(topology, report.inOrder());
    }

    private static Optional<Topology> topology(String text, Report report) {
        return new TreeReader(report)
                .read(text)
                .flatMap(new NetworkReader(report)::read)
                .flatMap(network -> {
                    Links links = new Links(network);
                    Endpoints endpoints = new Endpoints(network, links);
                    new NameChecks(network, report).run();
                    new AddressChecks(network, report).run();
                    new LinkChecks(network, links, endpoints, report).run();
                    new SiteChecks(network, links, report).run();
                    return report.hasErrors() ? Optional.empty() : Optional.of(new Topology(network, links, endpoints));
                });
    }

    private static Optional<String> text(Path file, Report report) {
        try {
            byte[] bytes = Files.readAllBytes(file);
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString());
        } catch (NoSuchFileException _) {
            report.error("there is no such file", "check the name; docs/network-file.md tells what to write into it");
        } catch (AccessDeniedException _) {
            report.error("this file may not be read", "give the user who runs Culvert the right to read it");
        } catch (CharacterCodingException _) {
            report.error("this file is not UTF-8", "save it as UTF-8");
        } catch (IOException e) {
            report.error(
                    Files.isDirectory(file) ? "this is a directory" : "this file cannot be read: " + e.getMessage(),
                    "name the network file");
        }
        return Optional.empty();
    }
}
