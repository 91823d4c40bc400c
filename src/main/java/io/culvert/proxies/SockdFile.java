// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The user's own Dante configuration, used unchanged after checking that all sessions leave by the tunnel.
 *
 * @param path the path of the user's file
 * @param text the configuration for Dante
 * @param port the port on which it listens; 1080 if the file has none, like Dante
 * @param internals the addresses and interfaces on which it listens; interfaces must exist before Dante starts
 * @param logsToStandardOutput whether its log goes to standard output or error
 * @param logs the files to which it logs
 * @param checksPasswords whether clients log in with the system's passwords
 */
public record SockdFile(
        Path path,
        String text,
        int port,
        Set<String> internals,
        boolean logsToStandardOutput,
        List<Path> logs,
        boolean checksPasswords) {

    private static final int DEFAULT_PORT = 1080;

    /** Dante allows white space and line breaks between words, and ignores case. */
    private static final Pattern INTERNAL = keyword("internal", "(\\S+)(?:\\s+port\\s*(?:=|eq)?\\s*(\\S+))?");

    private static final Pattern EXTERNAL = keyword("external", "(\\S+)");

    /** The redirect module can change the source address of a session. */
    private static final Pattern REDIRECT =
            Pattern.compile("(?<![\\w.-])redirect\\s+from\\s*:\\s*(\\S+)", Pattern.CASE_INSENSITIVE);

    private static final Pattern LOG = keyword("logoutput", "([^\\n]+)");

    private static final Pattern LOG_FILE = keyword("(?:logoutput|errorlog)", "([^\\n]+)");

    /**
     * Dante would switch to these users, which it is not permitted to: it runs as an unprivileged user from the start.
     */
    private static final Pattern USER = keyword("user\\.(?:privileged|unprivileged|notprivileged|libwrap)", "\\S+");

    private static final Pattern PASSWORDS =
            keyword("(?:(?:client|socks)?method)", "[^\\n]*\\b(?:username|pam\\.\\w+)\\b");

    public SockdFile {
        internals = Set.copyOf(internals);
        logs = List.copyOf(logs);
    }

    /**
     * Checks the file. The words {@code TSWG_DANTE_PORT} and {@code TSWG_DANTE_EXTERNAL}, which tswg's published file
     * has, are replaced by the port setting and the tunnel.
     *
     * @param tunnel the tunnel's interface
     * @param addresses the tunnel's own addresses
     * @param port the port setting, only for tswg's word
     * @throws io.culvert.diagnostics.ProblemException with all errors, each with its line
     */
    public static SockdFile check(Path path, String text, String tunnel, List<InetAddress> addresses, int port) {
        String substituted =
                text.replace("TSWG_DANTE_PORT", String.valueOf(port)).replace("TSWG_DANTE_EXTERNAL", tunnel);
        Check check = new Check(path, withoutComments(substituted));
        Set<Integer> ports = new LinkedHashSet<>();
        Set<String> internals = new LinkedHashSet<>();
        check.forEachMatch(INTERNAL, match -> {
            internals.add(match.group(1));
            ports.add(check.port(match));
        });
        if (internals.isEmpty()) {
            check.reportMissing("internal", "add 'internal: 0.0.0.0 port = 1080'");
        } else if (ports.size() > 1) {
            check.problems.add(Problem.input(
                    Location.file(path),
                    "listens on several ports: " + ports,
                    "use one port for all 'internal' lines"));
        }
        boolean external = check.forEachMatch(EXTERNAL, match -> check.requireTunnel(match, tunnel, addresses));
        if (!external) {
            check.reportMissing("external", "add 'external: " + tunnel + "'");
        }
        check.forEachMatch(REDIRECT, match -> check.requireTunnel(match, tunnel, addresses));
        boolean[] logsToStandardOutput = new boolean[1];
        check.forEachMatch(
                LOG, match -> logsToStandardOutput[0] |= match.group(1).contains("std"));
        List<Path> logs = new ArrayList<>();
        check.forEachMatch(
                LOG_FILE,
                match -> Stream.of(match.group(1).strip().split("\\s+", -1))
                        .filter(log -> log.startsWith("/"))
                        .map(Path::of)
                        .forEach(logs::add));
        boolean checksPasswords = check.forEachMatch(PASSWORDS, _ -> {});
        check.problems.throwIfErrors();
        return new SockdFile(
                path,
                USER.matcher(substituted).replaceAll(""),
                ports.iterator().next(),
                internals,
                logsToStandardOutput[0],
                logs,
                checksPasswords);
    }

    private static Pattern keyword(String word, String value) {
        return Pattern.compile("(?<![\\w.-])" + word + "\\s*:\\s*" + value, Pattern.CASE_INSENSITIVE);
    }

    /** Removes comments, keeping line numbers. */
    private static String withoutComments(String text) {
        return text.replaceAll("#[^\\n]*", "");
    }

    /** Checks a text and collects its errors. */
    private record Check(Path path, String text, Problems problems) {

        Check(Path path, String text) {
            this(path, text, new Problems());
        }

        boolean forEachMatch(Pattern pattern, Consumer<Matcher> match) {
            Matcher matcher = pattern.matcher(text);
            boolean matched = false;
            while (matcher.find()) {
                matched = true;
                match.accept(matcher);
            }
            return matched;
        }

        int port(Matcher match) {
            String port = match.group(2);
            if (port == null) {
                return DEFAULT_PORT;
            }
            OptionalInt number = Port.parseNumber(port);
            if (number.isPresent()) {
                return number.getAsInt();
            }
            problems.add(Problem.input(
                    locationOf(match, 2), "'" + port + "' is not a port", "use a port number from 1 to 65535"));
            return DEFAULT_PORT;
        }

        void requireTunnel(Matcher match, String tunnel, List<InetAddress> addresses) {
            String value = match.group(1);
            if (!value.equals(tunnel) && !isOwnAddress(value, addresses)) {
                problems.add(Problem.input(
                        locationOf(match, 1),
                        "'" + value + "' is not the tunnel: sessions would bypass the tunnel",
                        "use '" + tunnel + "'"));
            }
        }

        void reportMissing(String keyword, String hint) {
            problems.add(Problem.input(Location.file(path), "'" + keyword + "' is missing", hint));
        }

        private static boolean isOwnAddress(String value, List<InetAddress> addresses) {
            try {
                Prefix prefix = Prefix.parse(value);
                return prefix.isHost() && addresses.contains(prefix.address());
            } catch (IllegalArgumentException _) {
                return false;
            }
        }

        private Location locationOf(Matcher match, int group) {
            String before = text.substring(0, match.start(group));
            int line = (int) before.chars().filter(c -> c == '\n').count() + 1;
            return Location.file(path, line, before.length() - before.lastIndexOf('\n'));
        }
    }
}
