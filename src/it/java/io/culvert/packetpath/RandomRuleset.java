// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Makes random rulesets in nft's syntax. */
final class RandomRuleset {

    private static final List<String> TABLE_FAMILIES = List.of("inet", "inet", "ip", "ip6");

    private static final Pattern IPV4 = Pattern.compile("\\bip (saddr|daddr|to)|icmp type|(nfproto ipv4|protocol ip) ");
    private static final Pattern IPV6 = Pattern.compile("\\bip6 (saddr|daddr|to)|(nfproto ipv6|protocol ip6) ");
    private static final Pattern UDP = Pattern.compile("udp [ds]port|l4proto udp");
    private static final Pattern TCP = Pattern.compile("tcp ([ds]port|flags)|l4proto tcp");
    private static final Pattern PORTS = Pattern.compile("\\{ tcp, udp \\}");
    private static final Pattern ICMP = Pattern.compile("icmp type|\\{ icmp");

    private final RandomNamespace random;
    private final boolean hasChanges;
    private final List<String> hooks;
    private final StringBuilder text = new StringBuilder();

    /** A set of addresses; {@code ip} or {@code ip6}. */
    private record AddressSet(String family, String name) {}

    /** Of the table that is being made. */
    private String tableFamily = "inet";

    private List<AddressSet> addressSets = new ArrayList<>();
    private List<String> portSets = new ArrayList<>();

    /**
     * @param hooks of filter chains
     * @param hasChanges whether rules change packets: marks, addresses and ports
     */
    RandomRuleset(RandomNamespace random, List<String> hooks, boolean hasChanges) {
        this.random = random;
        this.hooks = hooks;
        this.hasChanges = hasChanges;
    }

    /** Returns a script that replaces all tables. */
    String text() {
        text.append("flush ruleset\n");
        for (int i = random.number(0, 3); i > 0; i--) {
            table("t" + i);
        }
        return text.toString();
    }

    private Family family() {
        return switch (tableFamily) {
            case "ip" -> Family.IPV4;
            case "ip6" -> Family.IPV6;
            default -> random.chance(50) ? Family.IPV4 : Family.IPV6;
        };
    }

    private void table(String name) {
        tableFamily = random.pick(TABLE_FAMILIES);
        addressSets = new ArrayList<>();
        portSets = new ArrayList<>();
        text.append("table ").append(tableFamily).append(' ').append(name).append(" {\n");
        for (int i = random.number(0, 2); i > 0; i--) {
            addressSet("a" + i);
        }
        if (random.chance(50)) {
            portSets.add("p");
            text.append("  set p { type inet_service; flags interval; elements = { ")
                    .append(ports())
                    .append(" } }\n");
        }
        int chains = random.number(0, 3);
        for (int i = chains; i > 0; i--) {
            text.append("  chain c").append(i).append(" {\n");
            rules(Place.ANYWHERE, i + 1, chains);
            text.append("  }\n");
        }
        for (int i = random.number(1, 4); i > 0; i--) {
            baseChain("b" + i, chains);
        }
        text.append("}\n");
    }

    private void addressSet(String name) {
        Family family = family();
        addressSets.add(new AddressSet(family == Family.IPV4 ? "ip" : "ip6", name));
        text.append("  set ")
                .append(name)
                .append(" { type ")
                .append(family == Family.IPV4 ? "ipv4_addr" : "ipv6_addr")
                .append("; flags interval; auto-merge; elements = { ")
                .append(addresses(family))
                .append(" } }\n");
    }

    /** Which statements a chain may have. */
    private enum Place {
        ANYWHERE,
        FILTER,
        PREROUTING_FILTER,
        RAW,
        ROUTE,
        DESTINATION_NAT,
        SOURCE_NAT
    }

    private void baseChain(String name, int chains) {
        String hook = random.pick(hooks);
        String type = "filter";
        Place place = hook.equals("prerouting") || hook.equals("postrouting") ? Place.PREROUTING_FILTER : Place.FILTER;
        int priority = random.pick(-300, -250, -210, -150, -100, -1, 0, 0, 5, 50, 100, 150, random.number(-350, 350));
        if (hasChanges && random.chance(40)) {
            if (hook.equals("output") && random.chance(50)) {
                type = "route";
                place = Place.ROUTE;
            } else if (!hook.equals("forward") && !hook.equals("input")) {
                type = "nat";
                priority = random.pick(-190, -100, -100, 0, 100, 100, 150);
                place = hook.equals("postrouting") ? Place.SOURCE_NAT : Place.DESTINATION_NAT;
            }
        } else if ((hook.equals("prerouting") || hook.equals("output")) && priority < -200) {
            place = Place.RAW;
        }
        text.append("  chain ")
                .append(name)
                .append(" {\n    type ")
                .append(type)
                .append(" hook ")
                .append(hook)
                .append(" priority ")
                .append(priority)
                .append("; policy ")
                .append(type.equals("filter") && random.chance(25) ? "drop" : "accept")
                .append(";\n");
        rules(place, 1, chains);
        text.append("  }\n");
    }

    private void rules(Place place, int firstChain, int lastChain) {
        for (int i = random.number(0, 6); i > 0; i--) {
            String rule = rule(place, firstChain, lastChain);
            while (isContradictory(rule)) {
                rule = rule(place, firstChain, lastChain);
            }
            text.append("    ").append(rule).append('\n');
        }
    }

    /** nft refuses a rule for two protocols. */
    private boolean isContradictory(String rule) {
        boolean isIpv4 = tableFamily.equals("ip") || IPV4.matcher(rule).find();
        boolean isIpv6 = tableFamily.equals("ip6") || IPV6.matcher(rule).find();
        return (isIpv4 && isIpv6)
                || Stream.of(UDP, TCP, ICMP, PORTS)
                                .filter(it -> it.matcher(rule).find())
                                .count()
                        > 1;
    }

    private String rule(Place place, int firstChain, int lastChain) {
        StringBuilder rule = new StringBuilder();
        if (random.chance(12)) {
            String map = verdictMap(firstChain, lastChain);
            if (!map.isEmpty()) {
                return match() + map;
            }
        }
        for (int i = random.pick(0, 1, 1, 1, 2, 2, 3); i > 0; i--) {
            rule.append(match());
        }
        if (random.chance(30)) {
            rule.append("counter ");
        }
        if (place == Place.DESTINATION_NAT || place == Place.SOURCE_NAT) {
            if (random.chance(70)) {
                return rule + translation(place);
            }
        } else if (hasChanges && random.chance(place == Place.ROUTE ? 70 : 30)) {
            rule.append(change());
        }
        return rule + verdict(place, firstChain, lastChain);
    }

    private String verdict(Place place, int firstChain, int lastChain) {
        int kind = random.nextInt(20);
        if (kind < 4) {
            return "accept";
        }
        if (kind < 7) {
            return "drop";
        }
        if (kind == 7) {
            return "return";
        }
        if (kind < 11 && firstChain <= lastChain) {
            return random.pick("jump", "jump", "goto") + " c" + random.number(firstChain, lastChain);
        }
        if (kind == 11 && place == Place.FILTER) {
            return "reject";
        }
        if (kind == 12 && (place == Place.RAW || place == Place.ROUTE)) {
            return "notrack";
        }
        return kind < 14 ? "drop" : "counter";
    }

    private String verdictMap(int firstChain, int lastChain) {
        List<String> verdicts = new ArrayList<>(List.of("accept", "drop", "return", "continue"));
        if (firstChain <= lastChain) {
            verdicts.add("jump c" + random.number(firstChain, lastChain));
            verdicts.add("goto c" + random.number(firstChain, lastChain));
        }
        return switch (random.nextInt(5)) {
            case 0 -> "meta l4proto vmap { tcp : " + random.pick(verdicts) + ", udp : " + random.pick(verdicts) + " }";
            case 1 ->
                "udp dport vmap { 53 : " + random.pick(verdicts) + ", 80-1000 : " + random.pick(verdicts) + ", 51820 : "
                        + random.pick(verdicts) + " }";
            case 2 ->
                "oifname vmap { \"eth0\" : " + random.pick(verdicts) + ", \"wg0\" : " + random.pick(verdicts) + " }";
            case 3 ->
                "meta mark vmap { 0 : " + random.pick(verdicts) + ", 0x1-0xffff : " + random.pick(verdicts) + " }";
            default ->
                "ct state vmap { new : " + random.pick(verdicts) + ", established : " + random.pick(verdicts)
                        + ", untracked : " + random.pick(verdicts) + " }";
        };
    }

    private String mark() {
        return "0x" + Long.toHexString(random.pick(RandomNamespace.MARKS));
    }

    private String mask() {
        return random.pick("0xff", "0xff00", "0xff000000", "0x1", "0xffff0000");
    }

    private String comparison() {
        return random.pick("", "", "", "!= ");
    }

    private String ports() {
        int first = random.number(1, 20000);
        int second = random.number(first + 2, 60000);
        return "53, " + (first == 53 ? 54 : first < 53 ? 60 : first) + "-" + Math.max(second, 61);
    }

    private String addresses(Family family) {
        return family == Family.IPV4
                ? random.pick(
                        "203.0.113.0/25, 198.51.100.1-198.51.100.9",
                        "192.0.2.0/24",
                        "10.0.0.0/8, 203.0.113.7",
                        "0.0.0.0/1",
                        "203.0.113.3-203.0.113.99, 192.0.2.1")
                : random.pick(
                        "2001:db8:3::/48",
                        "fd00::/8, 2001:db8:2::1-2001:db8:2::5000",
                        "2001:db8::/32",
                        "::/1, fe80::/10");
    }

    private String links() {
        return random.pick(
                "\"eth0\"",
                "\"wg0\"",
                "\"eth*\"",
                "\"mesh0\"",
                "{ \"eth0\", \"wg0\" }",
                "\"lo\"",
                "{ \"eth1\", \"mesh0\" }");
    }

    private String match() {
        Family family = family();
        String ip = family == Family.IPV4 ? "ip " : "ip6 ";
        return switch (random.nextInt(23)) {
            case 0, 1 -> "oifname " + comparison() + links() + ' ';
            case 2 -> "iifname " + comparison() + links() + ' ';
            case 3 -> random.pick("oif ", "iif ") + comparison() + random.pick("\"eth0\"", "\"wg0\"", "\"lo\"") + ' ';
            case 4 -> "meta mark " + comparison() + mark() + ' ';
            case 5 -> "meta mark & " + mask() + ' ' + random.pick("==", "!=", "<", ">=") + ' ' + mark() + ' ';
            case 6 ->
                "meta l4proto " + comparison() + random.pick("tcp", "udp", "{ tcp, udp }", "{ icmp, ipv6-icmp }") + ' ';
            case 7 ->
                tableFamily.equals("inet")
                        ? "meta nfproto " + random.pick("ipv4", "ipv6") + ' '
                        : "meta protocol " + random.pick("ip", "ip6") + ' ';
            case 8, 9 ->
                ip
                        + random.pick("daddr ", "saddr ")
                        + comparison()
                        + random.pick("{ " + addresses(family) + " }", random.prefix(family))
                        + ' ';
            case 10 -> addressSets.isEmpty() ? "" : addressSet();
            case 11, 12 ->
                random.pick("udp ", "tcp ")
                        + random.pick("dport ", "sport ")
                        + comparison()
                        + random.pick("53", "1024-30000", "{ " + ports() + " }", "443")
                        + ' ';
            case 13 -> "udp dport " + random.pick("<", ">", "<=", ">=") + ' ' + random.number(1, 65535) + ' ';
            case 14 -> portSets.isEmpty() ? "" : "th dport " + comparison() + "@p ";
            case 15 ->
                "ct state " + random.pick("new ", "established,related ", "{ new, untracked } ", "invalid ", "!= new ");
            case 16 -> "ct mark " + comparison() + mark() + ' ';
            case 17 -> "ct direction original ";
            case 18 -> ip + "daddr . udp dport { " + concatenation(family) + " } ";
            case 19 -> "meta l4proto . th dport { tcp . 80, udp . 53, udp . 1000-40000 } ";
            case 20 -> random.pick("iifgroup 7 ", "oifgroup 7 ", "oifgroup != 7 ", "iifgroup 0 ");
            case 21 -> "meta mark . " + "oifname { 0x1 . \"eth0\", 0x0 . \"wg0\", 0x0 . \"eth1\" } ";
            default ->
                random.pick(
                        "tcp flags syn ",
                        "tcp flags & (syn|ack) == syn ",
                        "meta skuid 1000 ",
                        "icmp type echo-request ");
        };
    }

    private String addressSet() {
        AddressSet set = random.pick(addressSets);
        return set.family() + random.pick(" daddr ", " saddr ") + comparison() + '@' + set.name() + ' ';
    }

    private static String concatenation(Family family) {
        return family == Family.IPV4
                ? "203.0.113.0/25 . 1-1000, 192.0.2.0-192.0.2.200 . 53, 198.51.100.0/24 . 443"
                : "2001:db8:3::/64 . 1-1000, 2001:db8:2::-2001:db8:2::4000 . 53";
    }

    private String change() {
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> "meta mark set " + mark() + ' ';
            case 3 -> "meta mark set meta mark & " + mask() + " | " + mark() + ' ';
            case 4 -> "meta mark set meta mark ^ " + mark() + ' ';
            case 5 -> "ct mark set " + random.pick(mark(), "meta mark") + ' ';
            case 6 -> "meta mark set ct mark ";
            default -> "meta mark set udp dport map { 53 : 0x1, 80-1000 : 0x51000000, 51820 : 0x100 } ";
        };
    }

    private String translation(Place place) {
        Family family = family();
        String ip = tableFamily.equals("inet") ? (family == Family.IPV4 ? "ip " : "ip6 ") : "";
        String target = random.destination(family);
        boolean isUnsuitable = target.startsWith("22")
                || target.startsWith("239")
                || target.startsWith("255")
                || target.startsWith("ff");
        String address = isUnsuitable ? (family == Family.IPV4 ? "203.0.113.200" : "2001:db8:3::200") : target;
        String withPort = "meta l4proto { tcp, udp } ";
        String bracketed = family == Family.IPV4 ? address : "[" + address + "]";
        if (place == Place.DESTINATION_NAT) {
            return switch (random.nextInt(4)) {
                case 0 -> withPort + "redirect to :" + random.number(1, 60000);
                case 1 -> "redirect";
                case 2 -> withPort + "dnat " + ip + "to " + bracketed + ":" + random.pick(53, 80, 5000);
                default -> "dnat " + ip + "to " + address;
            };
        }
        return random.chance(50)
                ? "masquerade"
                : "snat " + ip + "to " + (family == Family.IPV4 ? "198.51.100.77" : "2001:db8:0:1::77");
    }
}
