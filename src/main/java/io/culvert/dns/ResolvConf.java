// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The settings in a resolv.conf, parsed like the GNU C library does (resolv.conf(5)).
 *
 * @param nameservers at most 3, on port 53
 * @param search the search domains
 * @param dockerUpstreams the servers to which Docker's resolver forwards from inside the container, where the kill
 *     switch blocks it
 * @param ndots a name with at least this number of dots is tried as an absolute name first; 0 to 15
 */
public record ResolvConf(
        List<InetSocketAddress> nameservers, List<InetSocketAddress> dockerUpstreams, List<String> search, int ndots) {

    /** {@code MAXNS}, {@code RES_MAXNDOTS} (resolv.h). */
    private static final int MAX_NAMESERVERS = 3;

    private static final int MAX_NDOTS = 15;

    /**
     * Docker's list of these servers (moby: daemon/libnetwork/internal/resolvconf). Those in {@code host(...)} are
     * queried from outside the container, by Docker.
     */
    private static final Pattern DOCKER_EXT_SERVERS = Pattern.compile("# ExtServers: \\[(.*)]");

    private static final int PORT = 53;

    public ResolvConf {
        nameservers = List.copyOf(nameservers);
        dockerUpstreams = List.copyOf(dockerUpstreams);
        search = List.copyOf(search);
    }

    /** Parses a file; invalid lines are ignored, as by the C library. */
    public static ResolvConf parse(String text) {
        List<InetSocketAddress> nameservers = new ArrayList<>();
        List<InetSocketAddress> dockerUpstreams = new ArrayList<>();
        List<String> search = List.of();
        int ndots = 1;
        for (String line : text.split("\n", -1)) {
            Matcher extServers = DOCKER_EXT_SERVERS.matcher(line.strip());
            if (extServers.matches()) {
                for (String word : extServers.group(1).split(" ", -1)) {
                    address(word).ifPresent(a -> dockerUpstreams.add(new InetSocketAddress(a, PORT)));
                }
            }
            // A keyword must be at the very start of its line.
            List<String> words = List.of(line.trim().split("\\s+"));
            if (!line.startsWith(words.getFirst()) || words.size() < 2) {
                continue;
            }
            switch (words.getFirst()) {
                case "nameserver" -> {
                    if (nameservers.size() < MAX_NAMESERVERS) {
                        address(words.get(1)).ifPresent(a -> nameservers.add(new InetSocketAddress(a, PORT)));
                    }
                }
                case "domain" -> search = List.of(words.get(1));
                case "search" -> search = words.subList(1, words.size());
                case "options" -> ndots = ndots(words, ndots);
                default -> {
                    // Sort lists and comments.
                }
            }
        }
        return new ResolvConf(nameservers, dockerUpstreams, search, ndots);
    }

    /** Returns a copy with only the servers that match. */
    public ResolvConf withServers(Predicate<InetSocketAddress> filter) {
        return new ResolvConf(
                nameservers.stream().filter(filter).toList(),
                dockerUpstreams.stream().filter(filter).toList(),
                search,
                ndots);
    }

    /** Returns all servers that may be queried. */
    public List<InetSocketAddress> servers() {
        return Stream.concat(nameservers.stream(), dockerUpstreams.stream())
                .distinct()
                .toList();
    }

    /**
     * Returns the servers for a name: Docker's resolver for those of other containers, which usually have no dot, and
     * those to which it forwards for all others.
     *
     * @param name with or without the final dot
     */
    public List<InetSocketAddress> serversFor(String name) {
        return serversFor(name, nameservers, dockerUpstreams);
    }

    /** Returns which of two lists are the servers for a name, as in {@link #serversFor(String)}. */
    public static <T> List<T> serversFor(String name, List<T> nameservers, List<T> dockerUpstreams) {
        boolean singleLabel = name.indexOf('.') < 0 || name.indexOf('.') == name.length() - 1;
        return singleLabel || dockerUpstreams.isEmpty() ? nameservers : dockerUpstreams;
    }

    /** Returns the absolute names to query, in order. */
    public List<String> candidates(String name) {
        if (name.endsWith(".")) {
            return List.of(name);
        }
        List<String> candidates = new ArrayList<>();
        for (String domain : search) {
            String suffix = domain.endsWith(".") ? domain : domain + ".";
            candidates.add(suffix.equals(".") ? name + "." : name + "." + suffix);
        }
        boolean absoluteFirst = name.chars().filter(c -> c == '.').count() >= ndots;
        candidates.add(absoluteFirst ? 0 : candidates.size(), name + ".");
        return candidates.stream().distinct().toList();
    }

    private static Optional<InetAddress> address(String word) {
        try {
            // A link-local server has a scope, as in fe80::1%eth0.
            return Optional.of(
                    word.matches("[0-9A-Fa-f:.]+%[0-9A-Za-z_.-]+")
                            ? InetAddress.ofLiteral(word)
                            : Prefix.parseAddress(word));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    private static int ndots(List<String> options, int fallback) {
        int ndots = fallback;
        for (String option : options) {
            if (option.matches("ndots:[0-9]{1,4}")) {
                ndots = Math.min(Integer.parseInt(option.substring("ndots:".length())), MAX_NDOTS);
            }
        }
        return ndots;
    }
}
