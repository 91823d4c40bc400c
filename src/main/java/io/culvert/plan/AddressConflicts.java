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
 * Finds conflicts between the addresses of a WireGuard file and the networks of the machine. A conflict that cannot work is an
 * error. One that works, but hides a local network or depends on something else, is a warning.
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

    /** Returns the conflicts of a provider's file in an exit node. */
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

    /** Returns the conflicts of a mesh interface. */
    public static List<Problem> ofMesh(Place place, WireGuardConfig file, Machine machine) {
        AddressConflicts conflicts = new AddressConflicts(place, file, machine);
        conflicts.sameAddress("use another range for the mesh, such as 10.99.0.0/24");
        return List.copyOf(conflicts.problems);
    }

    /**
     * Returns the conflicts of a tunnel without a mesh.
     *
     * @param shielded whether packets from other links to the tunnel's addresses are dropped, which cuts off another link that
     *     has the same address
     */
    public static List<Problem> ofTunnel(Place place, WireGuardConfig file, Machine machine, boolean shielded) {
        AddressConflicts conflicts = new AddressConflicts(place, file, machine);
        conflicts.fatal = shielded;
        conflicts.sameAddress("ask the other side for another Address, or give that network another range");
        conflicts.endpoint();
        conflicts.rivals();
        return List.copyOf(conflicts.problems);
    }

    /**
     * Reports addresses of the file that another link or a gateway has too. Replies to such an address from outside the tunnel
     * cannot be told from those inside it, and are dropped.
     */
    private void sameAddress(String cure) {
        for (Prefix own : file.addresses()) {
            machine.main().addresses().stream()
                    .filter(other -> other.address().address().equals(own.address()))
                    .findFirst()
                    .ifPresent(other -> same(
                            "Address " + own + " is an address of this machine's " + text(other)
                                    + " as well: replies would be dropped",
                            cure));
            gateway(own)
                    .ifPresent(route -> same(
                            "Address " + own + " is the address of this machine's gateway on " + route.link()
                                    + " as well: the gateway would be unreachable",
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
                        "Endpoint " + endpoint
                                + " is the tunnel's own Address: packets to the server would never leave",
                        "set Endpoint to the server's public address, or Address to this machine's own"));
            } else if (endpoint.host() instanceof Host.Literal(InetAddress server) && isMachines(server)) {
                problems.add(Problem.warning(
                        place,
                        "Endpoint " + endpoint
                                + " is an address of this machine: only a program in this network namespace can answer",
                        "set Endpoint to the server's address, unless such a program forwards the packets"));
            }
        });
    }

    /** Reports a DNS server that cannot be reached through the tunnel. It is queried through the tunnel only. */
    private void dns(Place named, InetAddress server) {
        if (isOwn(server)) {
            problems.add(Problem.warning(
                    named,
                    "the DNS server " + Prefix.text(server)
                            + " is an address of this node itself, which is never queried: no names are resolved by it",
                    "use a server that is reachable through the tunnel: CULVERT_DNS=9.9.9.9"));
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
                            + ", but DNS servers are queried through the tunnel only: names resolve only if the provider"
                            + " has one with this address",
                    "use a server that is reachable through the tunnel, unless the provider has this one:"
                            + " CULVERT_DNS=9.9.9.9"));
        } else if (carries(Family.of(server))
                && ExitNodeChecks.allowedIps(file).stream().noneMatch(prefix -> prefix.contains(server))) {
            problems.add(Problem.warning(
                    named,
                    "the DNS server " + Prefix.text(server)
                            + " is not in AllowedIPs, so it cannot be queried through the tunnel",
                    "add it to AllowedIPs, or set CULVERT_DNS to a server that is in AllowedIPs"));
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

    /** Reports local networks that contain the tunnel's address: all of them is then reached outside the tunnel. */
    private void allowed(Settings settings) {
        for (Prefix lan : settings.lan().prefixes()) {
            file.addresses().stream()
                    .filter(own -> lan.contains(own.address()))
                    .findFirst()
                    .ifPresent(own -> problems.add(Problem.warning(
                            Place.setting("CULVERT_LAN_ALLOW"),
                            lan + " contains the tunnel's own address " + Prefix.text(own.address())
                                    + ": the provider's servers in " + lan + " are not reached through the tunnel",
                            "list the local networks only, such as 192.168.1.0/24")));
        }
    }

    /** Reports routes of others to exactly a prefix of AllowedIPs: the kernel would refuse ours. */
    private void rivals() {
        for (Prefix prefix : ExitNodeChecks.allowedIps(file)) {
            if (!goesToMain(prefix)) {
                continue;
            }
            TunnelRouting.rival(prefix, machine)
                    .filter(route -> route.metric() <= (prefix.family() == Family.IPV4 ? 0 : 1))
                    .ifPresent(route -> problems.add(Problem.machine(
                            place,
                            "AllowedIPs contains " + prefix + ", to which this machine already has a route ("
                                    + text(route) + ")",
                            "remove " + prefix
                                    + " from AllowedIPs (in a network file: from the peer's routes),"
                                    + " or delete that route: ip "
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
