package io.culvert.plan;

import static io.culvert.plan.Match.fromUdpPort;
import static io.culvert.plan.Match.marked;
import static io.culvert.plan.Match.sentToUdp;

import io.culvert.ip.Family;
import io.culvert.nft.NamedSet;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Value;
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

    private final GuardInput input;

    Servers(GuardInput input) {
        this.input = input;
    }

    List<NamedSet> sets() {
        return families().stream()
                .map(family -> new NamedSet(
                        name(family),
                        List.of(family == Family.IPV4 ? NamedSet.Part.IPV4 : NamedSet.Part.IPV6, NamedSet.Part.PORT),
                        false,
                        of(family).stream()
                                .<Value>map(server -> Value.Tuple.of(
                                        Value.Address.of(server.getAddress()), new Value.Decimal(server.getPort())))
                                .toList()))
                .toList();
    }

    /** Returns the rules for packets to the servers; none as long as the tunnel's own port is not known. */
    List<Rule> reached() {
        List<Rule> rules = new ArrayList<>();
        input.tunnel()
                .port()
                .ifPresent(port -> families()
                        .forEach(family -> rules.add(Rule.of(
                                "WireGuard packets of the tunnel, " + GuardRuleset.name(family),
                                marked(input.marks().tunnel()),
                                fromUdpPort(port),
                                sentToUdp(family, name(family)),
                                Verdict.ACCEPT))));
        return rules;
    }

    private List<Family> families() {
        return Arrays.stream(Family.values())
                .filter(family -> !of(family).isEmpty())
                .toList();
    }

    private List<InetSocketAddress> of(Family family) {
        return input.servers().stream()
                .filter(server -> Family.of(server.getAddress()) == family)
                .distinct()
                .toList();
    }

    private static String name(Family family) {
        return family == Family.IPV4 ? "servers4" : "servers6";
    }
}
