// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import static io.culvert.linux.FreshNamespace.inside;
import static io.culvert.linux.FreshNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSockets;
import io.culvert.nft.KernelSet;
import io.culvert.nft.KernelTable;
import io.culvert.nft.RulesetReader;
import io.culvert.rtnl.LookupRoute;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingStateReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The simulated kernel and the real one: an exit node starts, connects, fails over, has its rules, routes, tunnel and tables
 * deleted, and stops. Both kernels get the same requests, have to answer them alike, and have to be in the same state.
 */
@NamespaceTest
class SimulatedKernelTest {

    private static final Set<String> LINKS = Set.of("lo", "eth0", "wg0", "mesh0");

    private final List<String> compared = new ArrayList<>();

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void answers_and_states_are_those_of_the_real_one(long seed) throws Exception {
        inside(() -> {
            sh("ip link add eth0 type veth peer name far0");
            sh("ip link set far0 up");
            sh("ip link set eth0 up");
            String listed = sh("ip -o link show eth0");
            int index = Integer.parseInt(listed.substring(0, listed.indexOf(':')));
            try (World world = new World(seed, index);
                    KernelNetlinkSocket kernel = KernelNetlinkSocket.route();
                    RulesetReader rulesets = RulesetReader.open(NetlinkSockets.KERNEL)) {
                sh("ip address add 192.0.2.10/24 dev eth0");
                sh("ip route add default via 192.0.2.1 dev eth0 proto boot");
                if (world.ipv6) {
                    sh("ip address add 2001:db8:2::a/64 dev eth0 nodad");
                    sh("ip -6 route add default via 2001:db8:2::1 dev eth0 proto boot");
                }
                MirroredSockets sockets = new MirroredSockets(world.kernel);
                world.sockets = sockets;
                Runnable compare = () -> compare(world, kernel, rulesets);
                compare.run();
                NetlinkSockets unobserved = new MirroredSockets(world.kernel.unobservedSockets());
                at(world, 30, compare);
                at(world, 60, () -> {
                    world.trouble("server");
                    world.servers.getFirst().behaviour = World.Behaviour.DEAD;
                });
                at(world, 280, () -> {
                    world.servers.getFirst().behaviour = World.Behaviour.ALIVE;
                    world.repaired("server");
                });
                at(world, 290, compare);
                at(world, 300, () -> delete(world, unobserved, "routing", SimulatedNetwork.GETRULE, 12));
                at(world, 330, compare);
                at(world, 340, () -> delete(world, unobserved, "routing", SimulatedNetwork.GETROUTE, 12));
                at(world, 370, compare);
                at(world, 380, () -> delete(world, unobserved, "tunnel", SimulatedNetwork.GETLINK, 16));
                at(world, 420, compare);

                assertThat(world.run(Duration.ofMinutes(8), Faults.none()))
                        .as(world.report())
                        .isEmpty();

                compare.run();
                assertThat(sockets.differences()).isEmpty();
                assertThat(sockets.changes()).isGreaterThan(300);
                assertThat(compared).hasSize(7);
                sockets.close();
            }
        });
    }

    private static void at(World world, int second, Runnable action) {
        world.threads.schedule(Duration.ofSeconds(second), action);
    }

    /** Deletes Culvert's rules or routes, or the tunnel, in both kernels, as another program does. */
    private static void delete(World world, NetlinkSockets sockets, String trouble, int list, int header) {
        world.trouble(trouble);
        try (NetlinkSocket socket = sockets.route()) {
            List<NetlinkMessage> deletions = socket.dump(new NetlinkMessage(list, 0, new byte[header])).stream()
                    .filter(message -> isOurs(message, list))
                    .map(message -> new NetlinkMessage(message.type() + 1, 0, message.payload()))
                    .toList();
            assertThat(deletions).isNotEmpty();
            socket.execute(deletions);
        }
        world.threads.schedule(Duration.ofSeconds(10), () -> world.repaired(trouble));
    }

    private static boolean isOurs(NetlinkMessage message, int list) {
        return switch (list) {
            case SimulatedNetwork.GETLINK ->
                Attributes.parse(message.payload(), 16)
                        .string(3)
                        .filter("wg0"::equals)
                        .isPresent();
            case SimulatedNetwork.GETROUTE -> message.payload()[5] == 67;
            default -> Attributes.parse(message.payload(), 12).number(21, 0) == 67;
        };
    }

    private void compare(World world, KernelNetlinkSocket kernel, RulesetReader rulesets) {
        RoutingState real = new RoutingStateReader(kernel).read();
        RoutingState simulated = new RoutingStateReader(world.kernel.unobserved()).read();
        assertThat(links(simulated)).isEqualTo(links(real));
        assertThat(simulated.rules()).isEqualTo(real.rules());
        assertThat(routes(simulated)).containsExactlyInAnyOrderElementsOf(routes(real));
        assertThat(addresses(simulated)).containsExactlyInAnyOrderElementsOf(addresses(real));
        try (RulesetReader reader = RulesetReader.open(world.kernel.unobservedSockets())) {
            assertThat(outline(reader.read().tables()))
                    .containsExactlyInAnyOrderElementsOf(outline(rulesets.read().tables()));
        }
        compared.add("at " + world.threads.nanoTime());
    }

    private static List<String> links(RoutingState state) {
        return state.links().stream()
                .filter(link -> LINKS.contains(link.name()))
                .map(link -> link.index() + " " + link.name() + " " + link.isUp() + " " + link.alias() + " "
                        + (link.name().equals("eth0")
                                ? ""
                                : link.kind().replace(MirroredSockets.SUBSTITUTE, "wireguard")))
                .toList();
    }

    private static List<String> addresses(RoutingState state) {
        return state.addresses().stream()
                .filter(address -> LINKS.contains(address.link())
                        && !address.address().address().isLinkLocalAddress())
                .map(String::valueOf)
                .toList();
    }

    /** Routes to link-local addresses are those of the link's own address, which is another one here. */
    private static List<LookupRoute> routes(RoutingState state) {
        Set<Integer> indices = state.links().stream()
                .filter(link -> LINKS.contains(link.name()))
                .map(RoutingState.StateLink::index)
                .collect(Collectors.toSet());
        return state.routes().stream()
                .filter(route -> !route.destination().address().isLinkLocalAddress()
                        && route.hops().stream().allMatch(hop -> indices.contains(hop.link())))
                .toList();
    }

    private static String text(KernelSet.Element element) {
        return HexFormat.of().formatHex(element.first()) + "-" + HexFormat.of().formatHex(element.last());
    }

    /** Returns each table with its chains, the comments and expressions of their rules, and the sets. */
    private static List<String> outline(List<KernelTable> tables) {
        List<String> lines = new ArrayList<>();
        for (KernelTable table : tables) {
            table.chains().forEach(chain -> {
                lines.add(table.fullName() + " " + chain.name() + " " + chain.hook());
                int number = 0;
                for (var rule : chain.rules()) {
                    lines.add(table.fullName() + " " + chain.name() + " " + number++ + " " + rule.comment() + " "
                            + rule.expressions().stream().map(it -> it.name()).toList());
                }
            });
            table.sets()
                    .forEach(set -> lines.add(table.fullName() + " set of " + set.keyLength() + " bytes: "
                            + set.elements().stream()
                                    .map(SimulatedKernelTest::text)
                                    .sorted()
                                    .toList()));
        }
        return lines;
    }
}
