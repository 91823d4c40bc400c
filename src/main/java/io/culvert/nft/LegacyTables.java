// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The tables of the older iptables, which are evaluated next to those of nftables and are in no listing of them. The tables of
 * iptables-nft are tables of nftables and do not belong here.
 *
 * @param names with their family, such as {@code ip filter}; a table may be without rules
 * @param unreadable the families of which it is not known whether they have tables
 */
public record LegacyTables(List<String> names, List<Family> unreadable) {

    public LegacyTables {
        names = List.copyOf(names);
        unreadable = List.copyOf(unreadable);
    }

    /**
     * Reads the names of the tables in the calling thread's network namespace. The kernel has the files only if it has these
     * tables ({@code xt_proto_init} in net/netfilter/x_tables.c), and only root may read them.
     *
     * @param proc usually {@code /proc}
     */
    public static LegacyTables read(Path proc) {
        List<String> names = new ArrayList<>();
        List<Family> unreadable = new ArrayList<>();
        for (Family family : Family.values()) {
            boolean isIpv4 = family == Family.IPV4;
            try {
                Files.readAllLines(proc.resolve(
                                isIpv4 ? "thread-self/net/ip_tables_names" : "thread-self/net/ip6_tables_names"))
                        .forEach(name -> names.add((isIpv4 ? "ip " : "ip6 ") + name));
            } catch (NoSuchFileException _) {
                // The kernel has no such tables.
            } catch (IOException _) {
                unreadable.add(family);
            }
        }
        return new LegacyTables(names, unreadable);
    }
}
