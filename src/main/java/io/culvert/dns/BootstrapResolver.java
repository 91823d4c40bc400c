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
 * Resolves the few names that are needed before the tunnel is up, by the servers that the container was given and by
 * marked sockets, which the guard lets out. Never asks the C library, whose questions go into the tunnel.
 */
public final class BootstrapResolver {

    /** For what stood in the file of the start. */
    private static final Duration FILE_LIFE = Duration.ofHours(1);

    /** Whoever answers on the local network can put thousands into one answer. */
    private static final int REFUSALS_TOLD = 3;

    private final Map<String, List<InetAddress>> lastGood = new ConcurrentHashMap<>();
    private final ResolvConf runtime;
    private final HostsFile hosts;
    private final Egress egress;
    private final Patience patience;
    private final Supplier<Set<Family>> families;

    /**
     * Asks nothing yet.
     *
     * @param runtime what resolv.conf said before we rewrote it
     * @param hosts as it was at the start
     * @param egress with the mark that the guard lets out
     * @param families in which this machine has a way out now
     */
    public BootstrapResolver(
            ResolvConf runtime, HostsFile hosts, Egress egress, Supplier<Set<Family>> families, Patience patience) {
        this.runtime = runtime;
        this.hosts = hosts;
        this.egress = egress;
        this.patience = patience;
        this.families = families;
    }

    /** Looks a name up, at most for the patience's whole time for each family and each domain of the search list. */
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
            problems.add(Problem.note(Place.machine(name), refused + " addresses were refused in all"));
        }
        List<InetAddress> usable = AddressLimit.of(name, allowed, problems);
        List<InetAddress> old = lastGood.getOrDefault(name, List.of()).stream()
                .filter(address -> Forbidden.reason(address, forbidden).isEmpty())
                .toList();
        if (!usable.isEmpty()) {
            // That nobody answered for one family does not mean that the name has left it.
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
            problems.add(Problem.note(Place.machine(name), "the last good addresses are kept"));
        } else if (problems.isEmpty()) {
            problems.add(Problem.failure(
                    Place.machine(name), "the name has no address", "correct the name, or write an address instead"));
        }
        return new Resolution(old, Duration.ZERO, false, problems);
    }

    /** @param silent of which nobody said whether the name has addresses */
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
                // What other candidates failed of no longer matters.
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
                            Place.machine(candidate), "is too long for a DNS name", "write an address instead"));
                }
            }
        }
        return new Found(addresses, silent, silent.isEmpty() ? life : Duration.ZERO);
    }

    private static Problem noAnswer(String candidate, Family family, String why) {
        return Problem.failure(
                Place.machine(candidate),
                "the container's own DNS servers gave no " + (family == Family.IPV4 ? "IPv4" : "IPv6") + " address: "
                        + why,
                "see the nameserver lines of /etc/resolv.conf, or write an address instead of the name");
    }

    private static Problem refusal(String name, InetAddress address, String what) {
        return Problem.warning(
                Place.machine(name),
                "the answer " + Prefix.text(address) + " is refused: " + what,
                "if the name is right, its DNS is wrong or forged: write the address instead");
    }
}
