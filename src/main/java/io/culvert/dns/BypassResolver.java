package io.culvert.dns;

import io.culvert.ip.Family;
import io.culvert.ip.Host;
import io.culvert.ip.Prefix;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
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

    private final BootstrapResolver outside;
    private final Predicate<InetAddress> near;
    private final Patience patience;
    private final Map<String, Map<Family, List<InetAddress>>> confirmed = new ConcurrentHashMap<>();

    /**
     * Sends no query yet.
     *
     * @param near whether an address is in a local network of this machine
     */
    public BypassResolver(BootstrapResolver outside, Predicate<InetAddress> near, Patience patience) {
        this.outside = outside;
        this.near = near;
        this.patience = patience;
    }

    /**
     * Resolves a name.
     *
     * @param inside the tunnel's DNS servers; empty before the tunnel has been up
     * @param families the address families with a default route
     */
    public Resolution resolve(
            Host.Name name, List<Forbidden> forbidden, Optional<Upstreams> inside, Set<Family> families) {
        Resolution found = outside.resolve(name, forbidden);
        if (inside.isEmpty()) {
            return found;
        }
        List<Problem> problems = new ArrayList<>(found.problems());
        Forwarder forwarder = new Forwarder(inside.get(), patience);
        Map<Family, List<InetAddress>> known = confirmed.computeIfAbsent(name.name(), _ -> new ConcurrentHashMap<>());
        Set<InetAddress> usable = new LinkedHashSet<>();
        Duration life = found.fresh() ? found.life() : Duration.ZERO;
        Set<Family> silent = EnumSet.noneOf(Family.class);
        for (Family family : Family.values()) {
            if (!families.contains(family)) {
                continue;
            }
            Optional<AddressAnswer> answer = ask(name, family, forwarder);
            if (answer.isPresent()) {
                List<InetAddress> allowed = answer.get().addresses().stream()
                        .filter(address -> Forbidden.reason(address, forbidden).isEmpty())
                        .toList();
                known.put(family, AddressLimit.of(name.name(), allowed, problems));
                life = life.compareTo(answer.get().life()) < 0
                        ? life
                        : answer.get().life();
            } else {
                silent.add(family);
            }
            usable.addAll(known.getOrDefault(family, List.of()));
        }
        List<InetAddress> refused = new ArrayList<>();
        for (InetAddress address : found.addresses()) {
            if (near.test(address)) {
                usable.add(address);
            } else if (!usable.contains(address)) {
                refused.add(address);
            }
        }
        if (!refused.isEmpty()) {
            problems.add(refusal(name, refused, silent));
        } else if (usable.isEmpty() && silent.isEmpty()) {
            problems.add(Problem.warning(
                    Place.machine(name.name()), "has no address, so no bypass is active for it", "correct the name"));
        }
        // Rejected addresses must be removed, even if no server responded. Without any address, nothing changes.
        boolean fresh = !silent.containsAll(families)
                || !usable.isEmpty()
                || !found.addresses().isEmpty();
        return new Resolution(List.copyOf(usable), silent.isEmpty() ? life : Duration.ZERO, fresh, problems);
    }

    /** Returns empty if no server responded; an answer without addresses if the name has none. */
    private static Optional<AddressAnswer> ask(Host.Name name, Family family, Forwarder forwarder) {
        try {
            Name asked = Name.fromString(name.name(), Name.root);
            Message answer = forwarder.ask(Question.plain(asked, AddressAnswer.type(family)));
            boolean answered = answer.getRcode() == Rcode.NOERROR || answer.getRcode() == Rcode.NXDOMAIN;
            return answered ? Optional.of(AddressAnswer.read(answer, asked, family)) : Optional.empty();
        } catch (NoAnswerException | TextParseException _) {
            return Optional.empty();
        }
    }

    private static Problem refusal(Host.Name name, List<InetAddress> refused, Set<Family> silent) {
        String some = refused.stream().limit(3).map(Prefix::text).collect(Collectors.joining(", "));
        return Problem.warning(
                Place.machine(name.name()),
                some + (refused.size() > 3 ? " and " + (refused.size() - 3) + " more" : "")
                        + ": removed from the bypasses, as the DNS servers of the tunnel "
                        + (silent.isEmpty() ? "do not confirm it" : "do not respond"),
                "use the address instead of the name, if the container's own DNS is correct");
    }
}
