// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.linux.Sysctl;
import java.util.Map;
import java.util.Optional;

/**
 * The availability of IPv6. Each link has its own switch, {@code net.ipv6.conf.LINK.disable_ipv6}; a new link starts
 * with the value of {@code default} ({@code ipv6_add_dev} in net/ipv6/addrconf.c), and a write to {@code all} sets each
 * of them and {@code default}.
 *
 * @param present whether the kernel supports IPv6: routing rules and tables then work regardless of the switches
 * @param newLinks whether a new link has IPv6; empty if the switch cannot be read, as {@code /proc/sys} is hidden in some
 *     containers
 * @param links whether each existing link has IPv6; a link that never had any is absent
 * @param canBeEnabled whether IPv6 can be enabled on Culvert's links: another link has it, and the switches can be
 *     written
 * @param loopback whether the loopback interface has {@code ::1}
 */
public record Ipv6(
        boolean present,
        Optional<Boolean> newLinks,
        Map<String, Boolean> links,
        boolean canBeEnabled,
        boolean loopback) {

    public static final Ipv6 ABSENT = new Ipv6(false, Optional.of(false), Map.of(), false, false);

    public static final Ipv6 ENABLED = new Ipv6(true, Optional.of(true), Map.of("lo", true), true, true);

    /** Returns the name of the switch of a link, or of {@code default} or {@code all}. */
    public static String sysctl(String link) {
        return "net/ipv6/conf/" + link + "/disable_ipv6";
    }

    public Ipv6 {
        links = Map.copyOf(links);
    }

    /** Returns whether a link of Culvert (existing or not) can have IPv6 addresses and routes. */
    public boolean isAvailableOn(String link) {
        return present && (canBeEnabled || isEnabledOn(link));
    }

    /** Returns whether IPv6 is disabled on the link itself, whatever the value for new links. */
    public boolean isDisabledOn(String link) {
        return !links.getOrDefault(link, true);
    }

    /** Returns whether any link except loopback has IPv6, or a new one would or might. */
    public boolean isEnabledAnywhere() {
        return present
                && (newLinks.orElse(true)
                        || links.entrySet().stream()
                                .anyMatch(it -> it.getValue() && !it.getKey().equals("lo")));
    }

    /**
     * Returns the availability in a namespace that has no links but Culvert's: none of them shows whether IPv6 is
     * wanted there, so it is, where a switch can be written. New namespaces do not inherit the switches, unless
     * {@code net.core.devconf_inherit_init_net} or a parameter of the kernel says so.
     */
    public Ipv6 inOwnNamespace(Sysctl sysctl) {
        return new Ipv6(present, newLinks, links, sysctl.isWritable(sysctl("default")), loopback);
    }

    private boolean isEnabledOn(String link) {
        return links.getOrDefault(link, newLinks.orElse(false));
    }
}
