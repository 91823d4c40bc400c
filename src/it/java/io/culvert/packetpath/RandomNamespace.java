// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Random;
import java.util.TreeSet;

/** Makes random routing rules, routes and rulesets, as the lines of {@code ip -batch} and a script of nft. */
final class RandomNamespace {

    static final List<String> LINKS = List.of("eth0", "eth1", "wg0", "mesh0");

    /** Users of local processes. */
    static final List<Integer> USERS = List.of(0, 1000, 1001, 5000);

    static final List<Long> MARKS = List.of(0L, 1L, 2L, 0x100L, 0xff00L, 0x80000L, 0x51000000L, 0x51000001L);

    private static final List<String> MASKS = List.of("", "/0xff", "/0xff00", "/0xff0000", "/0xff000000", "/0x1");

    static final List<String> TABLES = List.of("main", "100", "101", "102");

    private static final List<String> NETWORKS_4 =
            List.of("198.51.100.0/25", "198.51.100.128/25", "10.64.0.0/24", "100.64.0.0/16");

    private static final List<String> NETWORKS_6 =
            List.of("2001:db8:0:1::/64", "2001:db8:0:2::/64", "fd00:64::/64", "fd7a:115c::/64");

    private final Random random;
    private final List<String> own4 = new ArrayList<>();
    private final List<String> own6 = new ArrayList<>();

    RandomNamespace(Random random) {
        this.random = random;
    }

    boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    @SafeVarargs
    final <T> T pick(T... list) {
        return list[random.nextInt(list.length)];
    }

    int nextInt(int bound) {
        return random.nextInt(bound);
    }

    int number(int first, int last) {
        return first + random.nextInt(last - first + 1);
    }

    List<String> own(Family family) {
        return family == Family.IPV4 ? own4 : own6;
    }

    /** Returns lines that set the addresses of the links, which have none. */
    List<String> addresses() {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < LINKS.size(); i++) {
            for (int j = number(0, 2); j > 0; j--) {
                String address =
                        NETWORKS_4.get(i).replaceAll("\\d+/\\d+", "") + (i == 1 ? 128 + number(2, 9) : number(2, 9));
                if (!own4.contains(address)) {
                    own4.add(address);
                    lines.add("address add " + address + pick("/32", i == 3 ? "/16" : "/25", "/25") + " dev "
                            + LINKS.get(i));
                }
            }
            for (int j = number(0, 2); j > 0; j--) {
                String address = NETWORKS_6.get(i).replace("/64", "") + number(2, 9);
                if (!own6.contains(address)) {
                    own6.add(address);
                    lines.add(
                            "address add " + address + pick("/128", "/64", "/64") + " dev " + LINKS.get(i) + " nodad");
                }
            }
        }
        return lines;
    }

    /** Returns an address that packets may be sent to. */
    String destination(Family family) {
        int kind = random.nextInt(20);
        if (kind < 3 && !own(family).isEmpty()) {
            return pick(own(family));
        }
        if (family == Family.IPV4) {
            return switch (kind) {
                case 3, 4, 5, 6 -> pick(NETWORKS_4).replaceAll("\\d+/\\d+", "") + number(1, 254);
                case 7 -> "127.0.0." + number(1, 2);
                case 8 -> pick("224.0.0.251", "239.1.2.3", "255.255.255.255", "198.51.100.127", "198.51.100.255");
                case 9, 10, 11 -> "192.0.2." + number(0, 255);
                default -> "203.0.113." + number(0, 255);
            };
        }
        return switch (kind) {
            case 3, 4, 5, 6 -> pick(NETWORKS_6).replace("/64", "") + Integer.toHexString(number(1, 0xfff));
            case 7 -> "::1";
            case 8 -> chance(10) ? pick("ff0e::1234", "ff05::2") : "2001:db8:3::2";
            case 9, 10, 11 -> "2001:db8:2::" + Integer.toHexString(number(1, 0xffff));
            default -> "2001:db8:3::" + Integer.toHexString(number(1, 0xffff));
        };
    }

    /** Returns an address that is not one of this machine's. */
    String foreign(Family family) {
        return family == Family.IPV4
                ? pick("203.0.113.", "192.0.2.", "10.99.0.") + number(1, 254)
                : pick("2001:db8:3::", "2001:db8:2::", "fd99::") + Integer.toHexString(number(1, 0xffff));
    }

    String prefix(Family family) {
        if (family == Family.IPV4) {
            return pick(
                    "203.0.113.0/24",
                    "203.0.113.0/25",
                    "203.0.113.128/26",
                    "203.0.112.0/20",
                    "192.0.2.0/24",
                    "192.0.2.64/26",
                    "192.0.0.0/8",
                    "198.51.100.0/24",
                    "198.51.100.0/25",
                    "198.51.100.128/25",
                    "10.64.0.0/16",
                    "100.64.0.0/10",
                    "128.0.0.0/1",
                    "0.0.0.0/1",
                    "10.99.0.0/16",
                    "198.51.100." + number(0, 255) + "/32");
        }
        return pick(
                "2001:db8:3::/48",
                "2001:db8:3::/113",
                "2001:db8:2::/48",
                "2001:db8::/32",
                "2001:db8:0:1::/64",
                "2001:db8:0:2::/64",
                "fd00:64::/64",
                "fd7a:115c::/48",
                "fd00::/8",
                "2000::/3",
                "8000::/1",
                "::/1",
                "2001:db8:2::8000/113",
                "fd99::/64");
    }

    private String fullPrefix(Family family) {
        return chance(25) ? (family == Family.IPV4 ? "0.0.0.0/0" : "::/0") : prefix(family);
    }

    private String ports() {
        int first = number(1, 60000);
        return pick(pick("53", "80", "443", "51820"), first + "-" + number(first, 65535), "1-1023", "1024-40000");
    }

    /** Returns lines that add routes. */
    List<String> routes(Family family) {
        List<String> lines = new ArrayList<>();
        for (String table : TABLES) {
            for (int i = number(0, 6); i > 0; i--) {
                lines.add(route(family, table));
            }
        }
        return lines;
    }

    private String hop(Family family) {
        String link = " dev " + pick(LINKS);
        return chance(60)
                ? " via "
                        + (family == Family.IPV4
                                ? pick("198.51.100.1", "10.64.0.1", "100.64.0.1")
                                : pick("2001:db8:0:1::1", "fe80::1"))
                        + link + " onlink"
                : link;
    }

    private String route(Family family, String table) {
        String prefix = fullPrefix(family);
        String end = " table " + table + (chance(40) ? " metric " + pick(1, 10, 100, 1024, 2000) : "");
        int kind = random.nextInt(20);
        if (kind < 5) {
            return "route add " + pick("blackhole", "unreachable", "prohibit", "throw", "throw") + " " + prefix + end;
        }
        if (kind == 5) {
            // Not to the sources of packets from outside: IPv4 drops packets whose source has a local route.
            return "route add local "
                    + (family == Family.IPV4
                            ? pick("198.51.100.0/25", "10.64.0.0/16", "100.64.0.0/10")
                            : prefix(family))
                    + " dev lo" + end;
        }
        if (kind == 6 && chance(20)) {
            return "route add " + prefix + end + " nexthop" + hop(family) + " nexthop" + hop(family);
        }
        String source = chance(20) && !own(family).isEmpty() ? " src " + pick(own(family)) : "";
        return "route " + (chance(10) ? "append " : "add ") + prefix + hop(family) + source + end;
    }

    /** Returns lines that add routing rules. */
    List<String> rules(Family family) {
        List<String> lines = new ArrayList<>();
        NavigableSet<Integer> preferences = new TreeSet<>();
        for (int i = number(0, 10); i > 0; i--) {
            preferences.add(number(1, 40) * 100);
        }
        for (int preference : preferences) {
            lines.add(rule(family, preference, preferences));
            if (chance(8)) {
                lines.add(rule(family, preference, preferences));
            }
        }
        if (chance(10)) {
            lines.add("rule add pref " + number(1, 4000) + " lookup local");
            lines.add("rule delete pref 0");
        }
        if (chance(10)) {
            lines.add("rule delete pref 32766");
        }
        return lines;
    }

    private String rule(Family family, int preference, NavigableSet<Integer> preferences) {
        StringBuilder rule = new StringBuilder("rule add pref " + preference);
        if (chance(20)) {
            rule.append(" not");
        }
        if (chance(25)) {
            rule.append(" from ").append(chance(50) && !own(family).isEmpty() ? pick(own(family)) : prefix(family));
        }
        if (chance(30)) {
            rule.append(" to ").append(prefix(family));
        }
        if (chance(25)) {
            rule.append(" iif ").append(chance(50) ? "lo" : pick(LINKS));
        }
        if (chance(15)) {
            rule.append(" oif ").append(pick(LINKS));
        }
        if (chance(30)) {
            rule.append(" fwmark 0x").append(Long.toHexString(pick(MARKS))).append(pick(MASKS));
        }
        if (chance(15)) {
            rule.append(" ipproto ").append(pick("udp", "udp", "tcp", family == Family.IPV4 ? "icmp" : "ipv6-icmp"));
        }
        if (chance(10)) {
            rule.append(" sport ").append(ports());
        }
        if (chance(10)) {
            rule.append(" dport ").append(ports());
        }
        if (chance(15)) {
            rule.append(" uidrange ").append(pick("0-0", "1000-1000", "1000-1001", "1-4294967294"));
        }
        int kind = random.nextInt(20);
        if (kind < 3) {
            return rule.append(' ')
                    .append(pick("blackhole", "unreachable", "prohibit"))
                    .toString();
        }
        if (kind == 3) {
            return rule.append(" nop").toString();
        }
        if (kind < 6) {
            Integer later = preferences.higher(preference);
            int target = later == null || chance(30)
                    ? preference + number(1, 3000)
                    : chance(50) ? later : preferences.last();
            return rule.append(" goto ").append(target).toString();
        }
        rule.append(" lookup ").append(pick(TABLES));
        if (chance(25)) {
            rule.append(" suppress_prefixlength ").append(pick(0, 0, 1, 8, 24, 32, 48));
        }
        if (chance(8)) {
            rule.append(" suppress_ifgroup 7");
        }
        return rule.toString();
    }

    List<String> linksDown() {
        return chance(10) ? List.of("link set " + pick(LINKS) + " down") : List.of();
    }
}
