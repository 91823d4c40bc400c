// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.linux.Egress;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.TextParseException;

/**
 * Resolves the few names that are needed before the tunnel is up, by the container's original DNS servers and
 * marked sockets, which the kill switch permits. Never uses the C library, whose queries go into the tunnel.
 */
public final class BootstrapResolver {

    /** The lifetime of entries in the hosts file, which was read at the start. */
    private static final Duration HOSTS_FILE_TTL = Duration.ofHours(1);

    /** A forged response from the local network can contain thousands of addresses. */
    private static final int MAX_REJECTIONS_REPORTED = 3;

    private final Map<String, List<InetAddress>> lastKnown = new ConcurrentHashMap<>();

    /** By their servers; kept, as each knows which of them responded last. */
    private final Map<List<InetSocketAddress>, Forwarder> forwarders = new ConcurrentHashMap<>();

    private final ResolvConf resolvConf;
    private final HostsFile hosts;
    private final Egress egress;
    private final Timeouts timeouts;
    private final Supplier<Set<Family>> families;

    /**
     * Creates the resolver, which sends no query yet.
     *
     * @param resolvConf the original content of resolv.conf
     * @param hosts the hosts file as it was at the start
     * @param egress with the firewall mark that the kill switch permits
     * @param families supplies the address families for which this machine has a default route now
     */
    public BootstrapResolver(
            ResolvConf resolvConf, HostsFile hosts, Egress egress, Supplier<Set<Family>> families, Timeouts timeouts) {
        this.resolvConf = resolvConf;
        this.hosts = hosts;
        this.egress = egress;
        this.timeouts = timeouts;
        this.families = families;
    }

    /** Resolves a name; takes at most the full timeout per family and per domain of the search list. */
    public ResolutionResult resolve(Host.Name host, List<ForbiddenAddresses> forbidden) {
        String name = host.name();
        List<Problem> problems = new ArrayList<>();
        LookupResult fromHosts = fromHosts(name);
        LookupResult lookup = fromHosts.addresses.isEmpty() ? fromDns(name, problems) : fromHosts;
        List<InetAddress> allowed = new ArrayList<>();
        int rejected = 0;
        for (InetAddress address : lookup.addresses) {
            Optional<String> reason = ForbiddenAddresses.reason(address, forbidden);
            if (reason.isEmpty()) {
                allowed.add(address);
            } else if (++rejected <= MAX_REJECTIONS_REPORTED) {
                problems.add(rejection(name, address, reason.get()));
            }
        }
        if (rejected > MAX_REJECTIONS_REPORTED) {
            problems.add(Problem.note(Location.machine(name), rejected + " addresses were rejected in total"));
        }
        List<InetAddress> usable = AddressLimit.of(name, allowed, problems);
        List<InetAddress> previous = lastKnown.getOrDefault(name, List.of()).stream()
                .filter(address -> ForbiddenAddresses.reason(address, forbidden).isEmpty())
                .toList();
        if (!usable.isEmpty()) {
            // If no server responded for one family, its last addresses are kept.
            previous.stream()
                    .filter(address -> lookup.unanswered.contains(Family.of(address)) && !usable.contains(address))
                    .forEach(usable::add);
            if (!lookup.unanswered.isEmpty()) {
                usable.sort(Comparator.comparing(Family::of));
            }
            lastKnown.put(name, usable);
            return new ResolutionResult(usable, lookup.ttl, true, problems);
        }
        if (!previous.isEmpty()) {
            problems.add(Problem.note(Location.machine(name), "the last known addresses are kept"));
        } else if (problems.isEmpty()) {
            problems.add(Problem.failure(
                    Location.machine(name), "has no address", "correct the name, or use an address instead"));
        }
        return new ResolutionResult(previous, Duration.ZERO, false, problems);
    }

    /** @param unanswered the families for which no server responded */
    private record LookupResult(Set<InetAddress> addresses, Set<Family> unanswered, Duration ttl) {

        static final LookupResult NOTHING = new LookupResult(Set.of(), Set.of(), Duration.ZERO);
    }

    private LookupResult fromHosts(String name) {
        Set<InetAddress> addresses = new LinkedHashSet<>(hosts.addresses(name));
        addresses.removeIf(address -> !families.get().contains(Family.of(address)));
        return new LookupResult(addresses, Set.of(), HOSTS_FILE_TTL);
    }

    private LookupResult fromDns(String host, List<Problem> problems) {
        for (String candidate : resolvConf.candidates(host)) {
            LookupResult lookup = query(candidate, problems);
            if (!lookup.addresses.isEmpty()) {
                // Failures of other candidates no longer matter.
                problems.clear();
                return lookup;
            }
        }
        return LookupResult.NOTHING;
    }

    private LookupResult query(String candidate, List<Problem> problems) {
        Forwarder forwarder = forwarders.computeIfAbsent(
                resolvConf.serversFor(candidate), servers -> new Forwarder(new Upstreams(servers, egress), timeouts));
        Set<InetAddress> addresses = new LinkedHashSet<>();
        Set<Family> unanswered = EnumSet.noneOf(Family.class);
        Duration ttl = Duration.ofDays(1);
        Duration timeout = timeouts.total();
        for (Family family : Family.values()) {
            if (families.get().contains(family)) {
                long startedAt = System.nanoTime();
                try {
                    Name name = Name.fromString(candidate);
                    Message response = forwarder.query(DnsQuery.plain(name, AddressRecords.type(family)), timeout);
                    timeout = timeouts.afterAnswer(Duration.ofNanos(System.nanoTime() - startedAt));
                    AddressRecords records = AddressRecords.read(response, name, family);
                    addresses.addAll(records.addresses());
                    ttl = ttl.compareTo(records.ttl()) < 0 ? ttl : records.ttl();
                    if (response.getRcode() != Rcode.NOERROR && response.getRcode() != Rcode.NXDOMAIN) {
                        unanswered.add(family);
                        problems.add(noResponse(candidate, family, Rcode.string(response.getRcode())));
                    }
                } catch (NoResponseException e) {
                    unanswered.add(family);
                    problems.add(noResponse(candidate, family, e.reason()));
                } catch (TextParseException _) {
                    problems.add(Problem.input(
                            Location.machine(candidate), "is too long for a DNS name", "use an address instead"));
                }
            }
        }
        return new LookupResult(addresses, unanswered, unanswered.isEmpty() ? ttl : Duration.ZERO);
    }

    private static Problem noResponse(String candidate, Family family, String reason) {
        return Problem.failure(
                Location.machine(candidate),
                "no " + family.text() + " address from the container's own DNS servers: " + reason,
                "check the nameserver lines of /etc/resolv.conf, or use an address instead of the name");
    }

    private static Problem rejection(String name, InetAddress address, String reason) {
        return Problem.warning(
                Location.machine(name),
                "DNS response " + Prefix.text(address) + " is rejected: " + reason,
                "check the name; if it is correct, its DNS response is wrong or forged: use the address instead");
    }
}
