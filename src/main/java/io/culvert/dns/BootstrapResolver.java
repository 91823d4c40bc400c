package io.culvert.dns;

import io.culvert.ip.Family;
import io.culvert.ip.Host;
import io.culvert.ip.Prefix;
import io.culvert.linux.Egress;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import java.net.InetAddress;
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
    private static final Duration FILE_LIFE = Duration.ofHours(1);

    /** A forged response from the local network can contain thousands of addresses. */
    private static final int REFUSALS_TOLD = 3;

    private final Map<String, List<InetAddress>> lastGood = new ConcurrentHashMap<>();
    private final ResolvConf runtime;
    private final HostsFile hosts;
    private final Egress egress;
    private final Patience patience;
    private final Supplier<Set<Family>> families;

    /**
     * Sends no query yet.
     *
     * @param runtime the original content of resolv.conf
     * @param hosts the hosts file as it was at the start
     * @param egress with the firewall mark that the kill switch permits
     * @param families supplies the address families for which this machine has a default route now
     */
    public BootstrapResolver(
            ResolvConf runtime, HostsFile hosts, Egress egress, Supplier<Set<Family>> families, Patience patience) {
        this.runtime = runtime;
        this.hosts = hosts;
        this.egress = egress;
        this.patience = patience;
        this.families = families;
    }

    /** Resolves a name; takes at most the full timeout per family and per domain of the search list. */
    public Resolution resolve(Host.Name host, List<Forbidden> forbidden) {
        String name = host.name();
        List<Problem> problems = new ArrayList<>();
        Found inHosts = inHosts(name);
        Found found = inHosts.addresses.isEmpty() ? inDns(name, problems) : inHosts;
        List<InetAddress> allowed = new ArrayList<>();
        int refused = 0;
        for (InetAddress address : found.addresses) {
            Optional<String> what = Forbidden.reason(address, forbidden);
            if (what.isEmpty()) {
                allowed.add(address);
            } else if (++refused <= REFUSALS_TOLD) {
                problems.add(refusal(name, address, what.get()));
            }
        }
        if (refused > REFUSALS_TOLD) {
            problems.add(Problem.note(Place.machine(name), refused + " addresses were rejected in total"));
        }
        List<InetAddress> usable = AddressLimit.of(name, allowed, problems);
        List<InetAddress> old = lastGood.getOrDefault(name, List.of()).stream()
                .filter(address -> Forbidden.reason(address, forbidden).isEmpty())
                .toList();
        if (!usable.isEmpty()) {
            // If no server responded for one family, its last addresses are kept.
            old.stream()
                    .filter(address -> found.silent.contains(Family.of(address)) && !usable.contains(address))
                    .forEach(usable::add);
            if (!found.silent.isEmpty()) {
                usable.sort(Comparator.comparing(Family::of));
            }
            lastGood.put(name, usable);
            return new Resolution(usable, found.life, true, problems);
        }
        if (!old.isEmpty()) {
            problems.add(Problem.note(Place.machine(name), "the last known addresses are kept"));
        } else if (problems.isEmpty()) {
            problems.add(Problem.failure(
                    Place.machine(name), "has no address", "correct the name, or use an address instead"));
        }
        return new Resolution(old, Duration.ZERO, false, problems);
    }

    /** @param silent the families for which no server responded */
    private record Found(Set<InetAddress> addresses, Set<Family> silent, Duration life) {

        static final Found NOTHING = new Found(Set.of(), Set.of(), Duration.ZERO);
    }

    private Found inHosts(String name) {
        Set<InetAddress> addresses = new LinkedHashSet<>(hosts.addresses(name));
        addresses.removeIf(address -> !families.get().contains(Family.of(address)));
        return new Found(addresses, Set.of(), FILE_LIFE);
    }

    private Found inDns(String host, List<Problem> problems) {
        for (String candidate : runtime.candidates(host)) {
            Found found = ask(candidate, problems);
            if (!found.addresses.isEmpty()) {
                // Failures of other candidates no longer matter.
                problems.clear();
                return found;
            }
        }
        return Found.NOTHING;
    }

    private Found ask(String candidate, List<Problem> problems) {
        Forwarder forwarder = new Forwarder(new Upstreams(runtime.serversFor(candidate), egress), patience);
        Set<InetAddress> addresses = new LinkedHashSet<>();
        Set<Family> silent = EnumSet.noneOf(Family.class);
        Duration life = Duration.ofDays(1);
        Duration time = patience.all();
        for (Family family : Family.values()) {
            if (families.get().contains(family)) {
                long began = System.nanoTime();
                try {
                    Name name = Name.fromString(candidate);
                    Message answer = forwarder.ask(Question.plain(name, AddressAnswer.type(family)), time);
                    time = patience.afterAnswer(Duration.ofNanos(System.nanoTime() - began));
                    AddressAnswer found = AddressAnswer.read(answer, name, family);
                    addresses.addAll(found.addresses());
                    life = life.compareTo(found.life()) < 0 ? life : found.life();
                    if (answer.getRcode() != Rcode.NOERROR && answer.getRcode() != Rcode.NXDOMAIN) {
                        silent.add(family);
                        problems.add(noAnswer(candidate, family, Rcode.string(answer.getRcode())));
                    }
                } catch (NoAnswerException e) {
                    silent.add(family);
                    problems.add(noAnswer(candidate, family, e.why()));
                } catch (TextParseException _) {
                    problems.add(Problem.input(
                            Place.machine(candidate), "is too long for a DNS name", "use an address instead"));
                }
            }
        }
        return new Found(addresses, silent, silent.isEmpty() ? life : Duration.ZERO);
    }

    private static Problem noAnswer(String candidate, Family family, String why) {
        return Problem.failure(
                Place.machine(candidate),
                "no " + (family == Family.IPV4 ? "IPv4" : "IPv6") + " address from the container's own DNS servers: "
                        + why,
                "check the nameserver lines of /etc/resolv.conf, or use an address instead of the name");
    }

    private static Problem refusal(String name, InetAddress address, String what) {
        return Problem.warning(
                Place.machine(name),
                "DNS response " + Prefix.text(address) + " is rejected: " + what,
                "check the name; if it is correct, its DNS response is wrong or forged: use the address instead");
    }
}
