// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.firewall.ForwardingPolicy;
import io.culvert.linux.Sysctl;
import io.culvert.net.Family;
import io.culvert.nft.Nftables;
import io.culvert.nft.Table;
import io.culvert.rtnl.ForwardingSysctls;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.Uplink;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Applies the forwarding policy of a node to the kernel: first its nftables table, then the sysctls. The previous
 * values of the sysctls are stored in the table itself, so that they can be restored even after a SIGKILL.
 */
final class ForwardingControl {

    private static final String SEPARATOR = " was ";

    private final Nftables nftables;
    private final Sysctl sysctl;
    private final Table.Id id;

    /** The previous values, kept in memory too, as another program may flush all tables. */
    private final Set<String> savedValues = new TreeSet<>();

    ForwardingControl(Nftables nftables, Sysctl sysctl, String node) {
        this.nftables = nftables;
        this.sysctl = sysctl;
        this.id = ForwardingPolicy.id(node);
    }

    /**
     * Applies the policy. Idempotent.
     *
     * @return the changes
     */
    List<String> apply(Optional<ForwardingPolicy> policy, Set<Family> families, Machine machine) {
        if (policy.isEmpty()) {
            return remove();
        }
        List<String> changes = new ArrayList<>();
        Set<String> valuesToSave = valuesToSave(families, machine);
        savedValues.addAll(valuesToSave);
        Table table = policy.get().withSavedValues(valuesToSave);
        if (!nftables.matches(List.of(table))) {
            nftables.apply(List.of(table));
            changes.add("nft table " + id);
        }
        Set<String> uplinks =
                machine.uplinks().values().stream().map(Uplink::link).collect(Collectors.toSet());
        new ForwardingSysctls(sysctl).enable(families, uplinks);
        return changes;
    }

    /** Returns the differences between the kernel and the policy. */
    List<String> differences(Optional<ForwardingPolicy> policy, Set<Family> families, Machine machine) {
        if (policy.isEmpty()) {
            return exists() ? List.of("unexpected table " + id) : List.of();
        }
        return nftables.differences(List.of(policy.get().withSavedValues(valuesToSave(families, machine))));
    }

    /** Removes the table and restores the sysctls. */
    List<String> remove() {
        loadSavedValues();
        if (!exists() && savedValues.isEmpty()) {
            return List.of();
        }
        savedValues.forEach(saved -> {
            String[] words = saved.split(SEPARATOR, 2);
            sysctl.write(words[0], words[1]);
        });
        savedValues.clear();
        nftables.remove(List.of(id));
        return List.of("nft delete table " + id);
    }

    private boolean exists() {
        return nftables.tables().contains(id);
    }

    /** Returns the saved values, and the current ones of the sysctls that are about to be changed. */
    private Set<String> valuesToSave(Set<Family> families, Machine machine) {
        loadSavedValues();
        Set<String> valuesToSave = new TreeSet<>(savedValues);
        Set<String> savedNames =
                valuesToSave.stream().map(value -> value.split(SEPARATOR, 2)[0]).collect(Collectors.toSet());
        for (Family family : families) {
            saveIfEqual(ForwardingSysctls.sysctl(family).replace('.', '/'), "0", savedNames, valuesToSave);
        }
        if (families.contains(Family.IPV6) && !machine.forwarding().contains(Family.IPV6)) {
            machine.uplinks()
                    .values()
                    .forEach(uplink -> saveIfEqual(
                            "net/ipv6/conf/" + uplink.link() + "/accept_ra", "1", savedNames, valuesToSave));
        }
        return valuesToSave;
    }

    private void saveIfEqual(String name, String oldValue, Set<String> savedNames, Set<String> valuesToSave) {
        if (!savedNames.contains(name)) {
            sysctl.read(name).filter(oldValue::equals).ifPresent(value -> valuesToSave.add(name + SEPARATOR + value));
        }
    }

    private void loadSavedValues() {
        if (exists()) {
            nftables.counters(id).keySet().stream()
                    .filter(comment -> comment.contains(SEPARATOR))
                    .forEach(savedValues::add);
        }
    }
}
