// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/**
 * The links of a namespace. Where a packet is, is a list of propositions, one for each link, of which at most one is true:
 * that it is this link. Rules ask for one link most of the time. In the fields of a packet, links are numbered from 1 on.
 */
final class Links {

    /** {@code IFNAMSIZ} (include/uapi/linux/if.h). */
    private static final int NAME_BYTES = 16;

    private final RoutingState routing;
    private final List<StateLink> links;

    Links(RoutingState routing) {
        this.routing = routing;
        links = routing.links();
    }

    /** Returns how many bits number a link. */
    int bits() {
        return Integer.SIZE - Integer.numberOfLeadingZeros(links.size());
    }

    List<StateLink> all() {
        return links;
    }

    /** Returns the number of a link. */
    int number(StateLink link) {
        return links.indexOf(link) + 1;
    }

    Optional<StateLink> byNumber(long number) {
        return links.stream().filter(link -> number(link) == number).findFirst();
    }

    Optional<StateLink> byName(String name) {
        return links.stream().filter(link -> link.name().equals(name)).findFirst();
    }

    Optional<StateLink> byIndex(int index) {
        return links.stream().filter(link -> link.index() == index).findFirst();
    }

    Optional<StateLink> loopback() {
        return links.stream().filter(StateLink::isLoopback).findFirst();
    }

    Optional<byte[]> firstAddress(StateLink link, Family family) {
        return routing.addresses().stream()
                .filter(address ->
                        address.link().equals(link.name()) && address.address().family() == family)
                .map(address -> address.address().address().getAddress())
                .findFirst();
    }

    <B> B is(List<B> which, StateLink link) {
        return which.get(links.indexOf(link));
    }

    <B> B isNone(Logic<B> logic, List<B> which) {
        return logic.not(logic.anyOf(which));
    }

    <B> List<B> none(Logic<B> logic) {
        return logic.zero(links.size());
    }

    <B> List<B> only(Logic<B> logic, StateLink link) {
        List<B> which = new ArrayList<>(none(logic));
        which.set(links.indexOf(link), logic.yes());
        return which;
    }

    /** Returns any link, or none. */
    <B> List<B> unknown(Logic<B> logic) {
        return numbered(logic, logic.unknown(bits()));
    }

    /** Returns the link with this number; none where no link has it. */
    <B> List<B> numbered(Logic<B> logic, List<B> number) {
        return links.stream().map(link -> logic.equal(number, number(link))).toList();
    }

    /** Returns the name in 16 bytes; zeros for no link. */
    <B> List<B> name(Logic<B> logic, List<B> which) {
        return property(logic, which, link -> Arrays.copyOf(link.name().getBytes(StandardCharsets.UTF_8), NAME_BYTES));
    }

    /** Returns the kernel's index, or the group. */
    <B> List<B> value(Logic<B> logic, List<B> which, ToIntFunction<StateLink> of) {
        return property(
                logic,
                which,
                link -> ByteBuffer.allocate(Integer.BYTES)
                        .putInt(of.applyAsInt(link))
                        .array());
    }

    /** Returns a constant of the link; zeros for no link. */
    private <B> List<B> property(Logic<B> logic, List<B> which, Function<StateLink, byte[]> of) {
        List<byte[]> values = links.stream().map(of).toList();
        // Most bits are set in the names of the same links.
        Map<BitSet, B> known = new HashMap<>();
        List<B> property = new ArrayList<>();
        for (int i = 0; i < (values.isEmpty() ? 0 : values.getFirst().length) * Byte.SIZE; i++) {
            BitSet having = new BitSet();
            for (int link = 0; link < values.size(); link++) {
                having.set(link, Logic.isSet(values.get(link), i));
            }
            property.add(known.computeIfAbsent(
                    having,
                    _ -> logic.anyOf(having.stream().mapToObj(which::get).toList())));
        }
        return property;
    }

    /** Returns the packets whose number is that of a link, so that others are not considered. */
    <B> B isLinkOrNone(Logic<B> logic, List<B> number) {
        List<B> any = new ArrayList<>(List.of(logic.equal(number, 0)));
        links.forEach(link -> any.add(logic.equal(number, number(link))));
        return logic.anyOf(any);
    }
}
