package io.culvert.network;

import java.util.Map;

/**
 * Where the kernel gives IPv6. A switch of its own for each link, {@code net.ipv6.conf.LINK.disable_ipv6}; a link that is made
 * starts with {@code default}'s value ({@code ipv6_add_dev} in net/ipv6/addrconf.c), and {@code all} is but a way to write to
 * each of them and to {@code default}.
 *
 * @param present whether the kernel has it: routing rules and tables work then, whatever the switches say
 * @param newLinks whether a link that is made now has it
 * @param links whether each link that is there has it; a link that never had any is absent
 * @param switchable whether a link of ours can be given it: some link has it, and the switches can be written
 * @param loopback whether there is {@code ::1}
 */
public record Ipv6(
        boolean present, boolean newLinks, Map<String, Boolean> links, boolean switchable, boolean loopback) {

    public static final Ipv6 ABSENT = new Ipv6(false, false, Map.of(), false, false);

    public static final Ipv6 EVERYWHERE = new Ipv6(true, true, Map.of("lo", true), true, true);

    /** The switch of a link, or of {@code default} or {@code all}. */
    public static String sysctl(String link) {
        return "net/ipv6/conf/" + link + "/disable_ipv6";
    }

    public Ipv6 {
        links = Map.copyOf(links);
    }

    /** Whether a link of ours, which need not be there yet, can have IPv6 addresses and routes. */
    public boolean on(String link) {
        return present && (switchable || asFound(link));
    }

    /** Whether the link itself is switched off, rather than what it starts with. */
    public boolean isOffOn(String link) {
        return !links.getOrDefault(link, true);
    }

    /** Whether any link has it, or could get it. */
    public boolean anywhere() {
        return present
                && (newLinks
                        || links.entrySet().stream()
                                .anyMatch(it -> it.getValue() && !it.getKey().equals("lo")));
    }

    private boolean asFound(String link) {
        return links.getOrDefault(link, newLinks);
    }
}
