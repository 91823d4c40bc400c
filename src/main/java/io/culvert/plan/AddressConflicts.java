// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.routing.TunnelRouting;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.MainRoute;
import io.culvert.settings.Settings;
import io.culvert.wireguard.config.RoutingTable;
import io.culvert.wireguard.config.WireGuardConfig;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds conflicts between the addresses of a WireGuard file and the networks of the machine. A conflict that cannot
 * work is an error. One that works, but hides a local network or depends on something else, is a warning.
 */
public final class AddressConflicts {

    private final Location location;
    private final WireGuardConfig file;
    private final Machine machine;
    private final List<Problem> problems = new ArrayList<>();
    private boolean sharedAddressIsError = true;

    private AddressConflicts(Location location, WireGuardConfig file, Machine machine) {
        this.location = location;
        this.file = file;
        this.machine = machine;
    }

    /** Returns the conflicts of a provider's file in an exit node. */
    public static List<Problem> ofServer(Location location, WireGuardConfig file, Settings settings, Machine machine) {
        AddressConflicts conflicts = new AddressConflicts(location, file, machine);
        conflicts.reportSharedAddresses(Hints.here().otherSubnet());
        conflicts.checkEndpoints();
        List<InetAddress> servers = settings.dns().isEmpty() ? file.dnsServers() : settings.dns();
        Location dnsLocation = settings.dns().isEmpty() ? location : Location.setting("CULVERT_DNS");
        servers.forEach(server -> conflicts.checkDnsServer(dnsLocation, server));
        conflicts.checkAllowedLan(settings);
        return List.copyOf(conflicts.problems);
    }

    /** Returns the conflicts of a mesh interface. */
    public static List<Problem> ofMesh(Location location, WireGuardConfig file, Machine machine) {
        AddressConflicts conflicts = new AddressConflicts(location, file, machine);
        conflicts.reportSharedAddresses("use another range for the mesh, such as 10.99.0.0/24");
        return List.copyOf(conflicts.problems);
    }

    /**
     * Returns the conflicts of a tunnel without a mesh.
     *
     * @param hasAntiSpoofing whether packets from other links to the tunnel's addresses are dropped, which cuts off
     *     another link that has the same address
     */
    public static List<Problem> ofTunnel(
            Location location, WireGuardConfig file, Machine machine, boolean hasAntiSpoofing) {
        AddressConflicts conflicts = new AddressConflicts(location, file, machine);
        conflicts.sharedAddressIsError = hasAntiSpoofing;
        conflicts.reportSharedAddresses("ask the other side for another Address, or give that network another range");
        conflicts.checkEndpoints();
        conflicts.checkConflictingRoutes();
        return List.copyOf(conflicts.problems);
    }

    /**
     * Reports addresses of the file that another link or a gateway has too. Replies to such an address from outside the
     * tunnel cannot be told from those inside it, and are dropped.
     */
    private void reportSharedAddresses(String hint) {
        for (Prefix tunnelAddress : file.addresses()) {
            machine.main().addresses().stream()
                    .filter(other -> other.address().address().equals(tunnelAddress.address()))
                    .findFirst()
                    .ifPresent(other -> reportSharedAddress(
                            "Address " + tunnelAddress + " is an address of this machine's " + text(other)
                                    + " as well: replies would be dropped",
                            hint));
            gatewayRoute(tunnelAddress)
                    .ifPresent(route -> reportSharedAddress(
                            "Address " + tunnelAddress + " is the address of this machine's gateway on " + route.link()
                                    + " as well: the gateway would be unreachable",
                            hint));
        }
    }

    private void reportSharedAddress(String message, String hint) {
        problems.add(
                sharedAddressIsError
                        ? Problem.machine(location, message, hint)
                        : Problem.warning(location, message, hint));
    }

    private Optional<MainRoute> gatewayRoute(Prefix tunnelAddress) {
        return machine.main().routes().stream()
                .filter(route -> route.gateway().equals(Optional.of(tunnelAddress.address())))
                .findFirst();
    }

    private static String text(LinkAddress address) {
        return address.link() + " (" + address.address() + ")";
    }

    private void checkEndpoints() {
        file.peers().stream().flatMap(peer -> peer.endpoint().stream()).forEach(endpoint -> {
            if (endpoint.host() instanceof Host.Literal(InetAddress server)
                    && file.addresses().stream().anyMatch(own -> own.address().equals(server))) {
                problems.add(Problem.input(
                        location,
                        "Endpoint " + endpoint
                                + " is the tunnel's own Address: packets to the server would never leave",
                        "set Endpoint to the server's public address, or Address to this machine's own"));
            } else if (endpoint.host() instanceof Host.Literal(InetAddress server) && isMachineAddress(server)) {
                problems.add(Problem.warning(
                        location,
                        "Endpoint " + endpoint
                                + " is an address of this machine: only a program in this network namespace can answer",
                        "set Endpoint to the server's address, unless such a program forwards the packets"));
            }
        });
    }

    /** Reports a DNS server that cannot be reached through the tunnel. It is queried through the tunnel only. */
    private void checkDnsServer(Location dnsLocation, InetAddress server) {
        if (isNodeAddress(server)) {
            problems.add(Problem.warning(
                    dnsLocation,
                    "the DNS server " + Prefix.text(server)
                            + " is an address of this node itself, which is never queried: no names are resolved by it",
                    "use a server that is reachable through the tunnel: CULVERT_DNS=9.9.9.9"));
            return;
        }
        boolean inTunnelNetwork = file.addresses().stream()
                .anyMatch(own -> !own.isHost() && own.network().contains(server));
        Optional<Prefix> localNetwork = machine.connected().stream()
                .filter(network -> network.contains(server))
                .findFirst();
        if (localNetwork.isPresent() && !inTunnelNetwork) {
            problems.add(Problem.warning(
                    dnsLocation,
                    "the DNS server " + Prefix.text(server) + " is in the local network " + localNetwork.get()
                            + ", but DNS servers are queried through the tunnel only: names resolve only if the provider"
                            + " has one with this address",
                    "use a server that is reachable through the tunnel, unless the provider has this one:"
                            + " CULVERT_DNS=9.9.9.9"));
        } else if (hasAddressOf(Family.of(server))
                && ExitNodeChecks.allowedIps(file).stream().noneMatch(prefix -> prefix.contains(server))) {
            problems.add(Problem.warning(
                    dnsLocation,
                    "the DNS server " + Prefix.text(server)
                            + " is not in AllowedIPs, so it cannot be queried through the tunnel",
                    "add it to AllowedIPs, or set CULVERT_DNS to a server that is in AllowedIPs"));
        }
    }

    private boolean isNodeAddress(InetAddress server) {
        return isMachineAddress(server)
                || server.isAnyLocalAddress()
                || file.addresses().stream().anyMatch(own -> own.address().equals(server));
    }

    private boolean isMachineAddress(InetAddress host) {
        return host.isLoopbackAddress()
                || machine.main().addresses().stream()
                        .anyMatch(own -> own.address().address().equals(host));
    }

    private boolean hasAddressOf(Family family) {
        return file.addresses().stream().anyMatch(own -> own.family() == family);
    }

    /** Reports local networks that contain the tunnel's address: all of them is then reached outside the tunnel. */
    private void checkAllowedLan(Settings settings) {
        for (Prefix lan : settings.lan().prefixes()) {
            file.addresses().stream()
                    .filter(own -> lan.contains(own.address()))
                    .findFirst()
                    .ifPresent(own -> problems.add(Problem.warning(
                            Location.setting("CULVERT_LAN_ALLOW"),
                            lan + " contains the tunnel's own address " + Prefix.text(own.address())
                                    + ": the provider's servers in " + lan + " are not reached through the tunnel",
                            "list the local networks only, such as 192.168.1.0/24")));
        }
    }

    /** Reports routes of others to exactly a prefix of AllowedIPs: the kernel would refuse the tunnel's. */
    private void checkConflictingRoutes() {
        for (Prefix prefix : ExitNodeChecks.allowedIps(file)) {
            if (!isRoutedInMain(prefix)) {
                continue;
            }
            TunnelRouting.conflictingRoute(prefix, machine)
                    .filter(route -> route.metric() <= (prefix.family() == Family.IPV4 ? 0 : 1))
                    .ifPresent(route -> problems.add(Problem.machine(
                            location,
                            "AllowedIPs contains " + prefix + ", to which this machine already has a route ("
                                    + text(route) + ")",
                            "remove " + prefix
                                    + " from AllowedIPs (in a network file: from the peer's routes),"
                                    + " or delete that route: ip "
                                    + (prefix.family() == Family.IPV4 ? "-4" : "-6") + " route delete "
                                    + text(route))));
        }
    }

    private boolean isRoutedInMain(Prefix prefix) {
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
