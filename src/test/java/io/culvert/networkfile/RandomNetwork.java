// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import static io.culvert.networkfile.NetworkText.peer;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Generates network files of all kinds, deterministically from a seed. Most are valid. */
final class RandomNetwork {

    private final Random random;

    RandomNetwork(long seed) {
        this.random = new Random(seed);
    }

    String text() {
        int subnets = 1 + random.nextInt(3);
        int groups = random.nextInt(3);
        int peers = 1 + random.nextInt(14);
        StringBuilder text = new StringBuilder("version: v1\nsubnets:\n");
        for (int i = 0; i < subnets; i++) {
            text.append("  - {name: net").append(i);
            text.append(random.nextBoolean() ? ", endpoints: [{persistentKeepalive: " + random.nextInt(40) + "}]" : "");
            text.append(random.nextBoolean() ? ", presharedKeyFile: 'psk/{a}-{b}'" : "")
                    .append("}\n");
        }
        text.append("groups:").append(groups == 0 ? " []\n" : "\n");
        for (int i = 0; i < groups; i++) {
            text.append("  - {name: group")
                    .append(i)
                    .append(", endpoints: [{port: ")
                    .append(4000 + i)
                    .append("}]}\n");
        }
        text.append("peers:\n");
        for (int i = 0; i < peers; i++) {
            text.append(peer("peer" + i, i + 1, memberships(i, subnets), more(i, groups)));
        }
        text.append("connections:\n");
        for (int i = random.nextInt(3); i >= 0; i--) {
            int subnet = random.nextInt(subnets);
            String in = "{type: subnet, rule: is, value: net" + subnet + "}";
            text.append("  - {a: [")
                    .append(in)
                    .append(", ")
                    .append(filter(peers, groups))
                    .append("], b: [");
            text.append(in).append("], subnets: [net").append(subnet).append("]}\n");
        }
        return text.toString();
    }

    private String memberships(int peer, int subnets) {
        List<String> memberships = new ArrayList<>();
        for (int i = 0; i < subnets; i++) {
            if (random.nextInt(3) > 0) {
                String addresses = switch (random.nextInt(4)) {
                    case 0 -> "";
                    case 1 -> ", ipAddresses: [10." + i + ".0." + (peer + 1) + ", auto]";
                    case 2 ->
                        ", ipAddresses: ['fd00:" + i + "::" + (peer + 1) + "', 10." + i + ".0." + (peer + 1) + "/16]";
                    default -> ", ipAddresses: [10." + i + ".0." + (peer + 1) + "/32]";
                };
                memberships.add("net" + i + ": {listenPort: " + (51820 + i) + addresses + "}");
            }
        }
        return String.join(", ", memberships);
    }

    private String more(int peer, int groups) {
        List<String> more = new ArrayList<>();
        if (groups > 0 && random.nextBoolean()) {
            more.add("groups: [group" + random.nextInt(groups) + "]");
        }
        if (random.nextInt(4) > 0) {
            more.add("endpoints: [{ip: 192.0.2." + (peer + 1) + "}, {match: [{type: peer, rule: not, value: peer0}], "
                    + "candidates: [{ip: 10.99.0." + (peer + 1) + "}, {ip: 'peer" + peer + ".example', port: 7}]}]");
        }
        if (random.nextInt(5) == 0) {
            more.add("routes: [172.16." + peer + ".0/24]");
        }
        return String.join(", ", more);
    }

    private String filter(int peers, int groups) {
        return groups > 0 && random.nextBoolean()
                ? "{type: group, rule: " + (random.nextBoolean() ? "is" : "not") + ", value: group"
                        + random.nextInt(groups) + "}"
                : "{type: peer, rule: " + (random.nextBoolean() ? "is" : "not") + ", value: peer"
                        + random.nextInt(peers) + "}";
    }
}
