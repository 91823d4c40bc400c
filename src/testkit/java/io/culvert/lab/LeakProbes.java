// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Family;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Fires packets of all cells of the leak matrix at once in a lab, and finds out what became of each: an observer outside the node
 * sees what leaves by the uplink, another one what comes from the provider.
 */
public final class LeakProbes implements AutoCloseable {

    /** Much longer than packets take; those of a volley that was sent too early are lost, so that another one is needed. */
    private static final Duration TIMEOUT = Duration.ofSeconds(3);

    private static final int DNS = 53;
    /** The broadcast address of the second uplink; where there is none, an address like any other. */
    private static final String SECOND_BROADCAST = "192.0.2.191";

    private static final List<String> GROUPS =
            List.of("192.0.2.63", SECOND_BROADCAST, "255.255.255.255", "224.", "239.", "ff0");

    private final List<Observer> observers = new ArrayList<>();
    private final Arrivals arrivals;
    private final Map<TrafficOrigin, ProbeAgent> agents = new EnumMap<>(TrafficOrigin.class);
    private final List<LeakCell> cells;
    private final Set<String> unattributed = new HashSet<>();

    /**
     * Prepares the lab and starts the agents.
     *
     * @param observer of the lab's uplink, which knows what is allowed there
     */
    public LeakProbes(Lab lab, Observer observer, List<TrafficOrigin> origins) {
        observers.add(observer);
        this.cells = LeakCell.of(origins);
        arrivals = new Arrivals(lab);
        for (TrafficOrigin origin : origins) {
            lab.internet()
                    .namespace()
                    .ip(
                            "address add " + origin.internet(Family.IPV4) + "/32 dev lo",
                            "address add " + origin.internet(Family.IPV6) + "/128 dev lo nodad");
            lab.lanHost()
                    .ip(
                            "address add " + origin.lan(Family.IPV4) + "/26 dev eth0",
                            "address add " + origin.lan(Family.IPV6) + "/64 dev eth0 nodad preferred_lft 0");
        }
        // Every user may send echo requests, as container engines allow; broadcasts are forwarded, as a machine may be
        // configured;
        // errors are not limited in number, as they show that a packet was handled.
        lab.node()
                .namespace()
                .sysctl(
                        "net.ipv4.ping_group_range=0 2147483647",
                        "net.ipv4.conf.all.bc_forwarding=1",
                        "net.ipv4.conf.default.bc_forwarding=1",
                        "net.ipv4.icmp_ratelimit=0",
                        "net.ipv6.icmp.ratelimit=0");
        lab.client().namespace().sysctl("net.ipv4.ping_group_range=0 2147483647");
        lab.internet().namespace().sysctl("net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0");
        origins.forEach(origin -> agents.put(origin, ProbeAgent.start(origin, lab)));
    }

    /** Counts what another uplink carries too. */
    public void observe(Observer observer) {
        observers.add(observer);
    }

    /** Forgets what arrived by the tunnel so far. */
    public void resetArrivals() {
        arrivals.reset();
    }

    public List<LeakCell> cells() {
        return cells;
    }

    /** Forgets all packets seen so far. */
    public void reset() {
        observers.forEach(Observer::reset);
        arrivals.reset();
        unattributed.clear();
    }

    /** Sends one packet of each way of all cells, all origins at the same time, and waits until the kernel has handled them. */
    public void volley() {
        volley(false);
    }

    /** Sends the same without the ways that only nftables blocks. */
    public void narrowVolley() {
        volley(true);
    }

    private void volley(boolean narrow) {
        agents.values().forEach(agent -> agent.send(narrow));
        agents.values().forEach(ProbeAgent::awaitSent);
    }

    /** Waits until packets of these cells have arrived by the tunnel of any provider, and returns those of which none has. */
    public List<LeakCell> awaitArrivals(List<LeakCell> expected) {
        return arrivals.await(expected, LeakProbes::belongsTo, TIMEOUT);
    }

    /** Returns what became of the packets since {@link #reset}. */
    public Map<LeakCell, LeakVerdict> verdicts(LeakState state) {
        List<Packet> leaked = observers.stream()
                .map(Observer::leakedPackets)
                .flatMap(List::stream)
                .toList();
        List<Packet> arrived = arrivals.packets().stream()
                .filter(packet -> !packet.isTo(SECOND_BROADCAST))
                .toList();
        Map<LeakCell, LeakVerdict> verdicts = new HashMap<>();
        for (LeakCell cell : cells) {
            verdicts.put(
                    cell,
                    leaked.stream().anyMatch(packet -> belongsTo(cell, packet))
                            ? LeakVerdict.LEAKED
                            : cell.notApplicable(state).isPresent()
                                    ? LeakVerdict.NOT_APPLICABLE
                                    : arrived.stream().anyMatch(packet -> belongsTo(cell, packet))
                                            ? LeakVerdict.TUNNEL
                                            : LeakVerdict.BLOCKED);
        }
        leaked.stream()
                .filter(packet -> cells.stream().noneMatch(cell -> belongsTo(cell, packet)))
                .map(Packet::summary)
                .forEach(unattributed::add);
        return verdicts;
    }

    /** Returns packets that left by the uplink, were not allowed, and belong to no cell. */
    public Set<String> unattributed() {
        return Set.copyOf(unattributed);
    }

    /** Returns the leaked packets in words, for the message of a failure. */
    public List<Map<String, Integer>> leaks() {
        return observers.stream().map(Observer::leaks).toList();
    }

    private static boolean belongsTo(LeakCell cell, Packet packet) {
        TrafficOrigin origin = cell.origin();
        boolean familyFits = packet.etherType() == (cell.family() == Family.IPV4 ? Packet.IPV4 : Packet.IPV6);
        if (packet.destination() == null) {
            return false;
        }
        boolean ownDestination = packet.isTo(origin.internet(cell.family())) || packet.isTo(origin.lan(cell.family()));
        boolean dns = packet.destinationPort() == DNS;
        return switch (cell.kind()) {
            case TCP -> ownDestination && packet.protocol() == Packet.TCP && !dns;
            case UDP -> ownDestination && packet.protocol() == Packet.UDP && !dns;
            case ICMP -> ownDestination && packet.protocol() != Packet.TCP && packet.protocol() != Packet.UDP;
            case DNS_BY_UDP -> dns && ((ownDestination && packet.protocol() == Packet.UDP) || isQueryOf(cell, packet));
            case DNS_BY_TCP -> dns && ((ownDestination && packet.protocol() == Packet.TCP) || isQueryOf(cell, packet));
            case GROUP ->
                familyFits
                        && packet.destinationPort() == origin.port()
                        && GROUPS.stream().anyMatch(packet::isToPrefix);
        };
    }

    /** Queries that the stub resolver passes on may use the other transport and the other family. */
    private static boolean isQueryOf(LeakCell cell, Packet packet) {
        return packet.payload().toLowerCase(Locale.ROOT).contains(cell.label());
    }

    /** Returns the cells whose packets a tunnel with these families carries. */
    public List<LeakCell> carried(Family... families) {
        return cells.stream()
                .filter(cell -> List.of(families).contains(cell.family()))
                .filter(cell -> cell.kind() != TrafficKind.GROUP)
                .filter(cell -> cell.notApplicable(LeakState.CONNECTED).isEmpty())
                .toList();
    }

    @Override
    public void close() {
        agents.values().forEach(ProbeAgent::close);
    }
}
