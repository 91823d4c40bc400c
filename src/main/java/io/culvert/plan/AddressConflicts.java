package io.culvert.plan;

import io.culvert.ip.Family;
import io.culvert.ip.Host;
import io.culvert.ip.Prefix;
import io.culvert.network.LinkAddress;
import io.culvert.network.Machine;
import io.culvert.network.MainRoute;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.settings.Settings;
import io.culvert.wireguard.RoutingTable;
import io.culvert.wireguard.WireGuardConfig;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a file's addresses and the machine's networks do not go together. What cannot work is an error; what works with the
 * nearer network hidden, or only as long as something else is so, is a warning.
 */
public final class AddressConflicts {

    private final Place place;
    private final WireGuardConfig file;
    private final Machine machine;
    private final List<Problem> problems = new ArrayList<>();
    private boolean fatal = true;

    private AddressConflicts(Place place, WireGuardConfig file, Machine machine) {
        this.place = place;
        this.file = file;
        this.machine = machine;
    }

    /** Of a provider's file in an exit node. */
    public static List<Problem> ofServer(Place place, WireGuardConfig file, Settings settings, Machine machine) {
        AddressConflicts conflicts = new AddressConflicts(place, file, machine);
        conflicts.sameAddress(Hints.here().otherRange());
        conflicts.endpoint();
        List<InetAddress> servers = settings.dns().isEmpty() ? file.dnsServers() : settings.dns();
        Place named = settings.dns().isEmpty() ? place : Place.setting("CULVERT_DNS");
        servers.forEach(server -> conflicts.dns(named, server));
        conflicts.allowed(settings);
        return List.copyOf(conflicts.problems);
    }

    /** Of an interface of the mesh. */
    public static List<Problem> ofMesh(Place place, WireGuardConfig file, Machine machine) {
        AddressConflicts conflicts = new AddressConflicts(place, file, machine);
        conflicts.sameAddress("choose another range for the mesh, such as 10.99.0.0/24");
        return List.copyOf(conflicts.problems);
    }

    /**
     * Of a tunnel alone.
     *
     * @param shielded whether nobody on a wire may speak to its addresses, so that one that is on a wire as well is cut off
     */
    public static List<Problem> ofTunnel(Place place, WireGuardConfig file, Machine machine, boolean shielded) {
        AddressConflicts conflicts = new AddressConflicts(place, file, machine);
        conflicts.fatal = shielded;
        conflicts.sameAddress("ask the other side for another Address, or give that network another range");
        conflicts.endpoint();
        conflicts.rivals();
        return List.copyOf(conflicts.problems);
    }

    /** Answers to it from outside could not be told from those inside, and are dropped. */
    private void sameAddress(String cure) {
        for (Prefix own : file.addresses()) {
            machine.main().addresses().stream()
                    .filter(other -> other.address().address().equals(own.address()))
                    .findFirst()
                    .ifPresent(other -> same(
                            "Address " + own + " is an address of this machine's " + text(other)
                                    + ", too: nothing could be answered",
                            cure));
            gateway(own)
                    .ifPresent(route -> same(
                            "Address " + own + " is the address of this machine's gateway on " + route.link()
                                    + ", too: nothing would reach the gateway",
                            cure));
        }
    }

    private void same(String what, String cure) {
        problems.add(fatal ? Problem.machine(place, what, cure) : Problem.warning(place, what, cure));
    }

    private Optional<MainRoute> gateway(Prefix own) {
        return machine.main().routes().stream()
                .filter(route -> route.gateway().equals(Optional.of(own.address())))
                .findFirst();
    }

    private static String text(LinkAddress address) {
        return address.link() + " (" + address.address() + ")";
    }

    private void endpoint() {
        file.peers().stream().flatMap(peer -> peer.endpoint().stream()).forEach(endpoint -> {
            if (endpoint.host() instanceof Host.Literal(InetAddress server)
                    && file.addresses().stream().anyMatch(own -> own.address().equals(server))) {
                problems.add(Problem.input(
                        place,
                        "Endpoint " + endpoint + " is the tunnel's own Address: the server's packets would never leave",
                        "write the server's public address into Endpoint, or this machine's own into Address"));
            } else if (endpoint.host() instanceof Host.Literal(InetAddress server) && isMachines(server)) {
                problems.add(Problem.warning(
                        place,
                        "Endpoint " + endpoint
                                + " is this machine itself: only a program in this network namespace answers",
                        "write the server's address into Endpoint, unless such a program hands the packets on"));
            }
        });
    }

    /** It is asked through the tunnel, and only there. */
    private void dns(Place named, InetAddress server) {
        if (isOwn(server)) {
            problems.add(Problem.warning(
                    named,
                    "the DNS server " + Prefix.text(server)
                            + " is an address of this node itself, where no DNS server is asked: names do not resolve by it",
                    "name a server that the tunnel leads to: CULVERT_DNS=9.9.9.9"));
            return;
        }
        boolean inside = file.addresses().stream()
                .anyMatch(own -> !own.isHost() && own.network().contains(server));
        Optional<Prefix> near = machine.connected().stream()
                .filter(network -> network.contains(server))
                .findFirst();
        if (near.isPresent() && !inside) {
            problems.add(Problem.warning(
                    named,
                    "the DNS server " + Prefix.text(server) + " is in the local network " + near.get()
                            + ", but it is asked through the tunnel only: names resolve only where the provider has one of"
                            + " this address",
                    "where it is the local network's, name a server that the tunnel leads to: CULVERT_DNS=9.9.9.9"));
        } else if (carries(Family.of(server))
                && ExitNodeChecks.allowedIps(file).stream().noneMatch(prefix -> prefix.contains(server))) {
            problems.add(Problem.warning(
                    named,
                    "the DNS server " + Prefix.text(server)
                            + " is not in AllowedIPs, so it cannot be asked through the tunnel",
                    "add it to AllowedIPs, or name one that is in it: CULVERT_DNS"));
        }
    }

    private boolean isOwn(InetAddress server) {
        return isMachines(server)
                || server.isAnyLocalAddress()
                || file.addresses().stream().anyMatch(own -> own.address().equals(server));
    }

    private boolean isMachines(InetAddress host) {
        return host.isLoopbackAddress()
                || machine.main().addresses().stream()
                        .anyMatch(own -> own.address().address().equals(host));
    }

    private boolean carries(Family family) {
        return file.addresses().stream().anyMatch(own -> own.family() == family);
    }

    /** What the user lists as local is reached outside of the tunnel, even what is behind it. */
    private void allowed(Settings settings) {
        for (Prefix lan : settings.lan().prefixes()) {
            file.addresses().stream()
                    .filter(own -> lan.contains(own.address()))
                    .findFirst()
                    .ifPresent(own -> problems.add(Problem.warning(
                            Place.setting("CULVERT_LAN_ALLOW"),
                            lan + " contains the tunnel's own " + Prefix.text(own.address())
                                    + ": the provider's servers in " + lan + " are not reached through the tunnel",
                            "list the local networks only, such as 192.168.1.0/24")));
        }
    }

    /** Another router's route to the very prefix: ours would be refused. */
    private void rivals() {
        for (Prefix prefix : ExitNodeChecks.allowedIps(file)) {
            if (!goesToMain(prefix)) {
                continue;
            }
            TunnelRouting.rival(prefix, machine)
                    .filter(route -> route.metric() <= (prefix.family() == Family.IPV4 ? 0 : 1))
                    .ifPresent(route -> problems.add(Problem.machine(
                            place,
                            "AllowedIPs names " + prefix + ", to which this machine has a route already (" + text(route)
                                    + ")",
                            "take " + prefix
                                    + " out of AllowedIPs (in a network file: of the peer's routes), or remove that route: ip "
                                    + (prefix.family() == Family.IPV4 ? "-4" : "-6") + " route delete "
                                    + text(route))));
        }
    }

    private boolean goesToMain(Prefix prefix) {
        return file.table() instanceof RoutingTable.Auto
                && !prefix.isDefault()
                && file.addresses().stream().noneMatch(own -> own.contains(prefix))
                && file.peers().stream()
                        .flatMap(peer -> peer.endpoint().stream())
                        .noneMatch(endpoint -> endpoint.host() instanceof Host.Literal(InetAddress server)
                                && Family.of(server) == prefix.family()
                                && ExitNodeChecks.allowedIps(file).stream()
                                        .anyMatch(allowed -> !allowed.isDefault() && allowed.contains(server)));
    }

    private static String text(MainRoute route) {
        return route.destination()
                + route.gateway().map(gateway -> " via " + Prefix.text(gateway)).orElse("") + " dev " + route.link();
    }
}
