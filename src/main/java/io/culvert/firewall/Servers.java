// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.firewall.Matches.fromUdpPort;
import static io.culvert.firewall.Matches.hasMark;
import static io.culvert.firewall.Matches.toUdpEndpoint;

import io.culvert.net.Family;
import io.culvert.nft.NamedSet;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.Statement.Verdict;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Builds the sets and rules of the servers that the tunnel's outer packets go to. A mark is not sufficient to identify these
 * packets: since Linux 5.17, a process with CAP_NET_RAW, which containers have by default, can set any mark. So they must also
 * come from the tunnel's own port, which only one socket can have, and go to a server's address and port.
 */
final class Servers {

    private final KillSwitchInput input;

    Servers(KillSwitchInput input) {
        this.input = input;
    }

    List<NamedSet> sets() {
        return families().stream()
                .map(family -> new NamedSet(
                        name(family),
                        List.of(family == Family.IPV4 ? NamedSet.Part.IPV4 : NamedSet.Part.IPV6, NamedSet.Part.PORT),
                        false,
                        endpoints(family).stream()
                                .<NftValue>map(server -> NftValue.Tuple.of(
                                        NftValue.Address.of(server.getAddress()),
                                        new NftValue.Decimal(server.getPort())))
                                .toList()))
                .toList();
    }

    /** Returns the rules for packets to the servers; none as long as the tunnel's own port is not known. */
    List<NftRule> outputRules() {
        List<NftRule> rules = new ArrayList<>();
        input.tunnel()
                .port()
                .ifPresent(port -> families()
                        .forEach(family -> rules.add(NftRule.of(
                                "WireGuard packets of the tunnel, " + family.text(),
                                hasMark(input.marks().tunnel()),
                                fromUdpPort(port),
                                toUdpEndpoint(family, name(family)),
                                Verdict.ACCEPT))));
        return rules;
    }

    private List<Family> families() {
        return Arrays.stream(Family.values())
                .filter(family -> !endpoints(family).isEmpty())
                .toList();
    }

    private List<InetSocketAddress> endpoints(Family family) {
        return input.servers().stream()
                .filter(server -> Family.of(server.getAddress()) == family)
                .distinct()
                .toList();
    }

    private static String name(Family family) {
        return family == Family.IPV4 ? "servers4" : "servers6";
    }
}
