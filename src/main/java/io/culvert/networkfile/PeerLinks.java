// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The links between peers. Peers and subnets are identified by their indices in the network's lists, and sets of peers
 * are bit sets, so that a full mesh of a thousand peers needs no more memory than its connections.
 */
final class PeerLinks {

    private record Sides(BitSet a, BitSet b, Optional<BitSet> subnets) {

        boolean in(int subnet) {
            return subnets.isEmpty() || subnets.get().get(subnet);
        }
    }

    private final NetworkDefinition network;
    private final Map<String, Integer> memberNumbers = new HashMap<>();
    private final Map<String, Integer> subnetNumbers = new HashMap<>();
    private final Map<String, BitSet> groupMembers = new HashMap<>();
    private final List<BitSet> inSubnet = new ArrayList<>();
    private final List<Sides> connections = new ArrayList<>();

    PeerLinks(NetworkDefinition network) {
        this.network = network;
        List<Member> members = network.members();
        for (Subnet subnet : network.subnets()) {
            subnetNumbers.putIfAbsent(subnet.name().value(), inSubnet.size());
            inSubnet.add(new BitSet(members.size()));
        }
        for (int i = 0; i < members.size(); i++) {
            Member member = members.get(i);
            memberNumbers.putIfAbsent(member.name().value(), i);
            for (Membership membership : member.subnets()) {
                Integer subnet = subnetNumbers.get(membership.subnet().value());
                if (subnet != null) {
                    inSubnet.get(subnet).set(i);
                }
            }
            for (LocatedValue<String> group : member.groups()) {
                groupMembers.computeIfAbsent(group.value(), _ -> new BitSet()).set(i);
            }
        }
        network.connections().forEach(connection -> connections.add(sides(connection)));
    }

    private Sides sides(Connection connection) {
        return new Sides(
                select(connection.a()),
                select(connection.b()),
                connection.subnets().map(names -> {
                    BitSet numbers = new BitSet();
                    names.forEach(name -> subnet(name.value()).ifPresent(numbers::set));
                    return numbers;
                }));
    }

    OptionalInt member(String name) {
        Integer number = memberNumbers.get(name);
        return number == null ? OptionalInt.empty() : OptionalInt.of(number);
    }

    OptionalInt subnet(String name) {
        Integer number = subnetNumbers.get(name);
        return number == null ? OptionalInt.empty() : OptionalInt.of(number);
    }

    BitSet members(int subnet) {
        return inSubnet.get(subnet);
    }

    BitSet groupMembers(String group) {
        return groupMembers.getOrDefault(group, new BitSet());
    }

    /** Returns the peers that match all filters, as a new set. */
    BitSet select(List<Selector> selectors) {
        int size = network.members().size();
        BitSet selected = new BitSet(size);
        selected.set(0, size);
        for (Selector selector : selectors) {
            String value = selector.value().value();
            BitSet matching = switch (selector.type()) {
                case PEER -> {
                    BitSet one = new BitSet(size);
                    member(value).ifPresent(one::set);
                    yield one;
                }
                case GROUP -> groupMembers(value);
                case SUBNET -> {
                    OptionalInt number = subnet(value);
                    yield number.isPresent() ? members(number.getAsInt()) : new BitSet();
                }
            };
            if (selector.not()) {
                selected.andNot(matching);
            } else {
                selected.and(matching);
            }
        }
        return selected;
    }

    /**
     * Two peers that a connection joins although only one belongs to the subnet.
     *
     * @param nonMember the peer that does not belong to the subnet
     */
    record Mismatch(int member, int nonMember) {}

    /** Returns a mismatch of a connection in a subnet, if there is one. */
    Optional<Mismatch> findMismatch(int connection, int subnet) {
        Sides sides = connections.get(connection);
        return sides.in(subnet)
                ? mismatch(sides.a, sides.b, subnet).or(() -> mismatch(sides.b, sides.a, subnet))
                : Optional.empty();
    }

    private Optional<Mismatch> mismatch(BitSet here, BitSet there, int subnet) {
        BitSet members = (BitSet) here.clone();
        members.and(members(subnet));
        BitSet nonMembers = (BitSet) there.clone();
        nonMembers.andNot(members(subnet));
        return members.isEmpty() || nonMembers.isEmpty()
                ? Optional.empty()
                : Optional.of(new Mismatch(members.nextSetBit(0), nonMembers.nextSetBit(0)));
    }

    /** Returns the peers that {@code member} is linked with in {@code subnet}. */
    BitSet of(int member, int subnet) {
        BitSet linked = new BitSet(network.members().size());
        if (!members(subnet).get(member)) {
            return linked;
        }
        for (Sides sides : connections) {
            if (sides.in(subnet)) {
                if (sides.a.get(member)) {
                    linked.or(sides.b);
                }
                if (sides.b.get(member)) {
                    linked.or(sides.a);
                }
            }
        }
        linked.clear(member);
        linked.and(members(subnet));
        return linked;
    }

    boolean areLinked(int one, int other, int subnet) {
        return connections.stream().anyMatch(sides -> joins(sides, one, other, subnet));
    }

    /** Returns the first subnet in which two peers are linked, which is used for routes that could use several. */
    OptionalInt firstSubnet(int one, int other) {
        for (int subnet = 0; subnet < inSubnet.size(); subnet++) {
            if (areLinked(one, other, subnet)) {
                return OptionalInt.of(subnet);
            }
        }
        return OptionalInt.empty();
    }

    /** Returns whether a connection links two peers in a subnet. */
    boolean joins(int connection, int one, int other, int subnet) {
        return joins(connections.get(connection), one, other, subnet);
    }

    private boolean joins(Sides sides, int one, int other, int subnet) {
        return one != other
                && sides.in(subnet)
                && members(subnet).get(one)
                && members(subnet).get(other)
                && ((sides.a.get(one) && sides.b.get(other)) || (sides.b.get(one) && sides.a.get(other)));
    }
}
