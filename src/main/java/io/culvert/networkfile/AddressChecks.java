// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Checks that each address and port belongs to one peer only. */
final class AddressChecks {

    private record Holder(Member member, Membership membership, LocatedValue<Prefix> address) {}

    private final NetworkDefinition network;
    private final NetworkFileProblems report;

    AddressChecks(NetworkDefinition network, NetworkFileProblems report) {
        this.network = network;
        this.report = report;
    }

    void run() {
        Map<InetAddress, List<Holder>> holders = new HashMap<>();
        for (Member member : network.members()) {
            checkPorts(member);
            checkNetworksOf(member);
            for (Membership membership : member.subnets()) {
                for (LocatedValue<Prefix> address : membership.addresses()) {
                    holders.computeIfAbsent(address.value().address(), _ -> new ArrayList<>(1))
                            .add(new Holder(member, membership, address));
                }
            }
        }
        holders.values().stream().filter(list -> list.size() > 1).forEach(this::reportDuplicates);
    }

    private void reportDuplicates(List<Holder> holders) {
        for (int i = 1; i < holders.size(); i++) {
            Holder later = holders.get(i);
            holders.subList(0, i).stream()
                    .filter(earlier -> areInConflict(earlier, later))
                    .findFirst()
                    .ifPresent(earlier -> reportDuplicate(earlier, later));
        }
    }

    private void reportDuplicate(Holder one, Holder other) {
        boolean inOrder = one.address.line() <= other.address.line();
        Holder earlier = inOrder ? one : other;
        Holder later = inOrder ? other : one;
        String address = Prefix.text(later.address.value().address());
        report.error(
                later.address,
                earlier.member.equals(later.member) && earlier.membership.equals(later.membership)
                        ? address + " is listed twice"
                        : address + " is already assigned to '"
                                + earlier.member.name().value() + "' in subnet '"
                                + earlier.membership.subnet().value() + "' (line " + earlier.address.line()
                                + ")",
                "use an address that no other peer has");
    }

    /** Returns whether they conflict: in one subnet always, in two if some peer belongs to both. */
    private boolean areInConflict(Holder one, Holder other) {
        String here = one.membership.subnet().value();
        String there = other.membership.subnet().value();
        return here.equals(there)
                || network.members().stream()
                        .anyMatch(member ->
                                member.in(here).isPresent() && member.in(there).isPresent());
    }

    private void checkPorts(Member member) {
        Map<Integer, Membership> taken = new HashMap<>();
        for (Membership membership : member.subnets()) {
            membership.listenPort().ifPresent(port -> {
                Membership other = taken.putIfAbsent(port.value(), membership);
                if (other != null) {
                    report.error(
                            port,
                            "listenPort " + port.value() + " is already used in subnet '"
                                    + other.subnet().value() + "'",
                            "use another port, as each interface has its own socket");
                }
            });
        }
    }

    private void checkNetworksOf(Member member) {
        List<Membership> all = member.subnets();
        for (int i = 0; i < all.size(); i++) {
            for (int j = 0; j < i; j++) {
                checkOverlap(all.get(j), all.get(i));
            }
        }
    }

    private void checkOverlap(Membership one, Membership other) {
        for (LocatedValue<Prefix> address : other.addresses()) {
            Optional<LocatedValue<Prefix>> same = one.addresses().stream()
                    .filter(it -> it.value().overlaps(address.value())
                            && !it.value().address().equals(address.value().address()))
                    .findFirst();
            same.ifPresent(it -> report.warning(
                    address,
                    address.value() + " overlaps " + it.value() + " of subnet '"
                            + one.subnet().value() + "'",
                    "use different networks for the subnets, or longer prefix lengths"));
        }
    }
}
