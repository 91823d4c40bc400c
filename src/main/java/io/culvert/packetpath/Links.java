// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;

/** The links of a namespace, numbered from 1 on, so that few bits identify one. 0 stands for none. */
final class Links {

    /** {@code IFNAMSIZ} (include/uapi/linux/if.h). */
    private static final int NAME_BYTES = 16;

    private final RoutingState routing;
    private final List<StateLink> links;

    Links(RoutingState routing) {
        this.routing = routing;
        links = routing.links();
    }

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

    <B> B is(Logic<B> logic, List<B> number, StateLink link) {
        return logic.equal(number, number(link));
    }

    <B> List<B> constant(Logic<B> logic, StateLink link) {
        return logic.constant(number(link), bits());
    }

    /** Returns the name in 16 bytes; zeros for no link. */
    <B> List<B> name(Logic<B> logic, List<B> number) {
        List<B> name = logic.zero(NAME_BYTES * Byte.SIZE);
        for (StateLink link : links) {
            byte[] bytes = Arrays.copyOf(link.name().getBytes(StandardCharsets.UTF_8), NAME_BYTES);
            name = logic.choose(is(logic, number, link), logic.constant(bytes), name);
        }
        return name;
    }

    /** Returns the kernel's index, or the group. */
    <B> List<B> value(Logic<B> logic, List<B> number, ToIntFunction<StateLink> of) {
        List<B> value = logic.zero(Integer.SIZE);
        for (StateLink link : links) {
            value = logic.choose(is(logic, number, link), logic.constant(of.applyAsInt(link), Integer.SIZE), value);
        }
        return value;
    }

    /** Returns the packets whose number is that of a link, so that others are not considered. */
    <B> B isLinkOrNone(Logic<B> logic, List<B> number) {
        List<B> any = new ArrayList<>(List.of(logic.equal(number, 0)));
        links.forEach(link -> any.add(is(logic, number, link)));
        return logic.anyOf(any);
    }
}
