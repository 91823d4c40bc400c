// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.TextParseException;

/**
 * Resolves the names of bypasses. Each address of such a name is permitted by the kill switch, so a forged response
 * from the local network could open it: such responses count only until the tunnel is up, and those of the tunnel's DNS
 * servers take precedence from then on. A name known only to the local network keeps addresses in that network.
 */
public final class BypassResolver {

    private final BootstrapResolver bootstrap;
    private final Predicate<InetAddress> isLocal;
    private final Timeouts timeouts;
    private final Map<String, Map<Family, List<InetAddress>>> confirmed = new ConcurrentHashMap<>();

    /**
     * Creates the resolver, which sends no query yet.
     *
     * @param isLocal whether an address is in a local network of this machine
     */
    public BypassResolver(BootstrapResolver bootstrap, Predicate<InetAddress> isLocal, Timeouts timeouts) {
        this.bootstrap = bootstrap;
        this.isLocal = isLocal;
        this.timeouts = timeouts;
    }

    /**
     * Resolves a name.
     *
     * @param tunnelServers the tunnel's DNS servers; empty before the tunnel has been up
     * @param families the address families with a default route
     */
    public ResolutionResult resolve(
            Host.Name name,
            List<ForbiddenAddresses> forbidden,
            Optional<Upstreams> tunnelServers,
            Set<Family> families) {
        ResolutionResult result = bootstrap.resolve(name, forbidden);
        if (tunnelServers.isEmpty()) {
            return result;
        }
        List<Problem> problems = new ArrayList<>(result.problems());
        Forwarder forwarder = new Forwarder(tunnelServers.get(), timeouts);
        Map<Family, List<InetAddress>> confirmedByFamily =
                confirmed.computeIfAbsent(name.name(), _ -> new ConcurrentHashMap<>());
        Set<InetAddress> usable = new LinkedHashSet<>();
        Duration ttl = result.fresh() ? result.ttl() : Duration.ZERO;
        Set<Family> unanswered = EnumSet.noneOf(Family.class);
        for (Family family : Family.values()) {
            if (!families.contains(family)) {
                continue;
            }
            Optional<AddressRecords> records = query(name, family, forwarder);
            if (records.isPresent()) {
                List<InetAddress> allowed = records.get().addresses().stream()
                        .filter(address ->
                                ForbiddenAddresses.reason(address, forbidden).isEmpty())
                        .toList();
                confirmedByFamily.put(family, AddressLimit.of(name.name(), allowed, problems));
                ttl = ttl.compareTo(records.get().ttl()) < 0
                        ? ttl
                        : records.get().ttl();
            } else {
                unanswered.add(family);
            }
            usable.addAll(confirmedByFamily.getOrDefault(family, List.of()));
        }
        List<InetAddress> rejected = new ArrayList<>();
        for (InetAddress address : result.addresses()) {
            if (isLocal.test(address)) {
                usable.add(address);
            } else if (!usable.contains(address)) {
                rejected.add(address);
            }
        }
        if (!rejected.isEmpty()) {
            problems.add(rejection(name, rejected, unanswered));
        } else if (usable.isEmpty() && unanswered.isEmpty()) {
            problems.add(Problem.warning(
                    Location.machine(name.name()),
                    "has no address, so no bypass is active for it",
                    "correct the name"));
        }
        // Rejected addresses must be removed, even if no server responded. Without any address, nothing changes.
        boolean fresh = !unanswered.containsAll(families)
                || !usable.isEmpty()
                || !result.addresses().isEmpty();
        return new ResolutionResult(List.copyOf(usable), unanswered.isEmpty() ? ttl : Duration.ZERO, fresh, problems);
    }

    /** Returns empty if no server responded; no addresses if the name has none. */
    private static Optional<AddressRecords> query(Host.Name name, Family family, Forwarder forwarder) {
        try {
            Name question = Name.fromString(name.name(), Name.root);
            Message response = forwarder.query(DnsQuery.plain(question, AddressRecords.type(family)));
            boolean responded = response.getRcode() == Rcode.NOERROR || response.getRcode() == Rcode.NXDOMAIN;
            return responded ? Optional.of(AddressRecords.read(response, question, family)) : Optional.empty();
        } catch (NoResponseException | TextParseException _) {
            return Optional.empty();
        }
    }

    private static Problem rejection(Host.Name name, List<InetAddress> rejected, Set<Family> unanswered) {
        String firstRejected = rejected.stream().limit(3).map(Prefix::text).collect(Collectors.joining(", "));
        return Problem.warning(
                Location.machine(name.name()),
                firstRejected + (rejected.size() > 3 ? " and " + (rejected.size() - 3) + " more" : "")
                        + ": removed from the bypasses, as the DNS servers of the tunnel "
                        + (unanswered.isEmpty() ? "do not confirm it" : "do not respond"),
                "use the address instead of the name, if the container's own DNS is correct");
    }
}
