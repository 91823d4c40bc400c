// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import static io.culvert.linux.FreshNamespace.run;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.GuestTest;
import io.culvert.lab.NamespaceTest;
import io.culvert.net.Family;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.nft.KernelTable;
import io.culvert.nft.RulesetReader;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingStateReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The model against the kernel: random packets in random namespaces, whose state the program's own readers read. What the
 * model is certain of, the kernel does; what the kernel lets out is among the packets that the decision diagrams have.
 *
 * <p>{@code -Dculvert.model.cases=N} is the number of packets of a test, {@code -Dculvert.model.seed=N} the first seed.
 */
@NamespaceTest
class KernelComparisonTest {

    /** The first seed of the fixed part of a run. */
    private static final long SEED = 20261130;

    private static final int CASES = 1300;
    private static final int CASES_IN_GUEST = 300;
    private static final int BATCH = 100;

    /** What the model leaves open, in percent of the packets. */
    private static final int MAX_UNCERTAIN = 5;

    private final PacketExchange exchange = new PacketExchange();

    @AfterEach
    void close() {
        exchange.close();
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void routes_of_local_packets_are_those_of_the_kernel() {
        compare(Content.ROUTES, Integer.getInteger("culvert.model.cases", CASES));
    }

    @Test
    @GuestTest
    void debians_kernel_does_what_the_model_says() {
        for (Content content : Content.values()) {
            compare(content, CASES_IN_GUEST);
        }
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void filters_decide_about_local_packets_as_in_the_kernel() {
        compare(Content.FILTERS, Integer.getInteger("culvert.model.cases", CASES));
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void changed_marks_and_destinations_route_local_packets_as_in_the_kernel() {
        compare(Content.CHANGES, Integer.getInteger("culvert.model.cases", CASES));
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void packets_from_outside_are_forwarded_and_delivered_as_in_the_kernel() {
        compare(Content.FORWARDING, Integer.getInteger("culvert.model.cases", CASES));
    }

    /** What a random namespace has. */
    private enum Content {
        ROUTES,
        FILTERS,
        CHANGES,
        FORWARDING;

        /** Returns nothing for no ruleset at all. */
        String ruleset(RandomNamespace random) {
            return switch (this) {
                case ROUTES -> "flush ruleset\n";
                case FILTERS -> new RandomRuleset(random, List.of("output", "output", "postrouting"), false).text();
                case CHANGES ->
                    new RandomRuleset(random, List.of("output", "output", "output", "postrouting"), true).text();
                case FORWARDING ->
                    new RandomRuleset(random, List.of("prerouting", "input", "forward", "postrouting"), true).text();
            };
        }
    }

    private static final class Counts {
        private int packets;
        private int left;
        private int delivered;
        private int uncertain;
        private final Map<String, Integer> refused = new HashMap<>();

        @Override
        public String toString() {
            return "%d packets, of which %d left and %d were delivered; the model is uncertain about %d (%.1f %%); not set: %s"
                    .formatted(packets, left, delivered, uncertain, 100.0 * uncertain / Math.max(packets, 1), refused);
        }
    }

    private void compare(Content content, int cases) {
        Counts counts = new Counts();
        long first = Long.getLong("culvert.model.seed", SEED);
        long start = System.nanoTime();
        // A new seed as well where many are asked for. Otherwise a run is to give the same result each time.
        long last = Integer.getInteger("culvert.model.cases") == null ? first : start;
        exchange.inside(() -> {
            for (long seed = first; counts.packets < cases; seed++) {
                batch(content, seed, counts);
            }
            batch(content, last, counts);
            return true;
        });
        System.out.printf(
                "%s: seeds from %d, and %d; %s, %d ms%n",
                content, first, last, counts, (System.nanoTime() - start) / 1_000_000);
        assertThat(counts.uncertain * 100 / counts.packets).isLessThan(MAX_UNCERTAIN);
    }

    private void batch(Content content, long seed, Counts counts) throws Exception {
        RandomNamespace random = new RandomNamespace(new Random(seed));
        for (String family : List.of("-4", "-6")) {
            List<String> clearing = new ArrayList<>();
            RandomNamespace.LINKS.forEach(link -> clearing.add("address flush dev " + link));
            RandomNamespace.LINKS.forEach(link -> clearing.add("link set " + link + " up"));
            clearing.add("rule flush");
            clearing.add("rule delete pref 0");
            clearing.add("rule add pref 0 lookup local");
            clearing.add("rule add pref 32766 lookup main");
            if (family.equals("-4")) {
                clearing.add("rule add pref 32767 lookup default");
            }
            RandomNamespace.TABLES.forEach(table -> clearing.add("route flush table " + table));
            ip(family, clearing, counts, false);
        }
        ip("-oneline", random.addresses(), counts, true);
        for (Family family : Family.values()) {
            List<String> all = new ArrayList<>(random.routes(family));
            all.addAll(random.rules(family));
            ip(family == Family.IPV4 ? "-4" : "-6", all, counts, true);
        }
        ip("-oneline", random.linksDown(), counts, true);
        String ruleset = content.ruleset(random);
        CommandResult nft = CommandResult.of(List.of("nft", "-f", "-"), ruleset);
        if (nft.status() != 0) {
            counts.refused.merge(nft.err(), 1, Integer::sum);
            run("nft", "flush", "ruleset");
        }
        TreeSet<Integer> ports = new TreeSet<>();
        List<PacketCase> packets = new ArrayList<>();
        while (packets.size() < BATCH) {
            int port = random.number(1024, 65535);
            if (ports.add(port)) {
                packets.add(
                        PacketCase.random(packets.size() + 1, port, random, content == Content.FORWARDING ? 100 : 0));
            }
        }
        RoutingState routing;
        List<KernelTable> tables;
        try (var socket = KernelNetlinkSocket.route();
                var reader = RulesetReader.open()) {
            routing = new RoutingStateReader(socket).read();
            tables = reader.read().tables();
        }
        Set<String> down = routing.links().stream()
                .filter(link -> !link.isUp())
                .map(RoutingState.StateLink::name)
                .collect(Collectors.toSet());
        packets.removeIf(packet -> packet.kind() == PacketCase.Kind.RECEIVED
                && down.contains(packet.link().orElseThrow()));
        Prediction prediction = new Prediction(routing, tables);
        List<PacketExchange.Outcome> outcomes = exchange.exchange(packets);
        for (int i = 0; i < packets.size(); i++) {
            PacketCase packet = packets.get(i);
            PacketExchange.Outcome outcome = outcomes.get(i);
            if (!outcome.isSent()) {
                counts.refused.merge(outcome.error(), 1, Integer::sum);
                continue;
            }
            counts.packets++;
            counts.left += outcome.link().isPresent() ? 1 : 0;
            counts.delivered += outcome.isDelivered() ? 1 : 0;
            Prediction.Verdict verdict = prediction.verdict(packet, outcome);
            counts.uncertain += verdict.isUncertain() ? 1 : 0;
            String difference = difference(packet, outcome, verdict, prediction);
            if (!difference.isEmpty()) {
                throw new AssertionError("%s%nseed %d: %s%nkernel: %s%nmodel: %s%n%s"
                        .formatted(
                                difference, seed, packet, outcome, Prediction.text(verdict), state(packet.family())));
            }
        }
    }

    private static String difference(
            PacketCase packet, PacketExchange.Outcome outcome, Prediction.Verdict verdict, Prediction prediction) {
        for (String link : RandomNamespace.LINKS) {
            boolean hasLeft = outcome.link().equals(Optional.of(link));
            Truth leaves = verdict.links().getOrDefault(link, Truth.MAYBE);
            if (leaves == Truth.of(!hasLeft)) {
                return "the model is wrong about " + link;
            }
            if (hasLeft && !prediction.mayLeave(packet, outcome, link)) {
                return "the decision diagram lacks the packet that left by " + link;
            }
        }
        return packet.kind() == PacketCase.Kind.RECEIVED && verdict.delivered() == Truth.of(!outcome.isDelivered())
                ? "the model is wrong about the delivery"
                : "";
    }

    private static String state(Family family) throws Exception {
        StringBuilder state = new StringBuilder();
        String ip = family == Family.IPV4 ? "ip -4" : "ip -6";
        for (String command :
                List.of(ip + " -brief address", ip + " rule", ip + " route show table all", "nft list ruleset")) {
            state.append("# ").append(command).append('\n').append(run(command.split(" ")));
        }
        return state.toString();
    }

    private static void ip(String family, List<String> lines, Counts counts, boolean isCounted) {
        if (lines.isEmpty()) {
            return;
        }
        CommandResult result =
                CommandResult.of(List.of("ip", family, "-force", "-batch", "-"), String.join("\n", lines) + "\n");
        if (isCounted) {
            result.err()
                    .lines()
                    .filter(line -> line.contains("Error") || line.contains("RTNETLINK"))
                    .forEach(line -> counts.refused.merge(line, 1, Integer::sum));
        }
    }
}
