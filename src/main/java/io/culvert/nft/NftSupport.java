// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static io.culvert.nft.Statement.is;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.linux.Errno;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.nft.RulesetTransaction.Refusal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Checks whether the kernel supports what the kill switch needs, by creating and removing tables. */
final class NftSupport {

    private static final Location LOCATION = Location.machine("nftables");

    private NftSupport() {}

    static Problem netfilterMissing(int errno) {
        return Problem.machine(
                LOCATION,
                "this kernel or sandbox has no netfilter: " + Errno.describe(errno),
                "run on a Linux kernel with nf_tables (CONFIG_NF_TABLES); sandboxes such as gVisor lack it");
    }

    /** A feature that the kill switch needs, by the name of the kernel module that usually has it. */
    private record Feature(String name, Table table) {}

    private static final List<Feature> FEATURES = List.of(
            filter(
                    "nft_ct",
                    Chain.Hook.INPUT,
                    is(MatchField.Property.DIRECTION, NftValue.Word.ORIGINAL),
                    new Statement.MarkConnection(1)),
            filter("nft_reject_inet", Chain.Hook.OUTPUT, new Statement.Reject()),
            filter("nft_exthdr", Chain.Hook.FORWARD, new Statement.ClampMss()),
            nat("nft_masq", Chain.Hook.POSTROUTING, new Statement.Masquerade()),
            nat(
                    "nft_redir",
                    Chain.Hook.OUTPUT,
                    is(MatchField.Property.UDP_DESTINATION_PORT, new NftValue.Decimal(53)),
                    new Statement.Redirect(53)),
            new Feature("nf_tables_arp", new Table(id(Table.Family.ARP, "arp"), List.of(), List.of())),
            new Feature(
                    "nf_tables_set", new Table(id(Table.Family.INET, "set"), List.of(networksWithPorts()), List.of())));

    /** @param createAndDelete creates and deletes tables in one transaction; returns why the kernel refused */
    static Optional<Problem> probe(Function<List<Table>, Optional<Refusal>> createAndDelete) {
        Optional<Refusal> refusal =
                createAndDelete.apply(List.of(new Table(id(Table.Family.INET, "bare"), List.of(), List.of())));
        if (refusal.isPresent()) {
            return Optional.of(unusableProblem(refusal.get()));
        }
        if (createAndDelete
                .apply(FEATURES.stream().map(Feature::table).toList())
                .isEmpty()) {
            return Optional.empty();
        }
        List<String> missing = new ArrayList<>();
        List<String> modules = new ArrayList<>();
        for (Feature feature : FEATURES) {
            createAndDelete.apply(List.of(feature.table())).ifPresent(reason -> {
                missing.add(feature.name() + " (" + reason.reason() + ")");
                if (feature.name().startsWith("nft_")) {
                    modules.add(feature.name());
                }
            });
        }
        return missing.isEmpty()
                ? Optional.empty()
                : Optional.of(Problem.machine(
                        LOCATION,
                        "this kernel lacks parts of nf_tables: " + String.join(", ", missing),
                        modules.isEmpty()
                                ? "run on Linux 5.6 or newer, with all of CONFIG_NF_TABLES"
                                : Hints.here().loadModule("-a " + String.join(" ", modules))
                                        + "; Linux 5.6 or newer is needed"));
    }

    private static Problem unusableProblem(Refusal refusal) {
        return refusal.errno() == Errno.EPERM || refusal.errno() == Errno.EACCES
                ? Problem.machine(
                        LOCATION,
                        "cannot be changed: " + refusal.reason(),
                        Hints.here().netAdmin() + ", in a network namespace of its own")
                : Problem.machine(
                        LOCATION,
                        "this kernel has no nf_tables: " + refusal.reason(),
                        Hints.here().loadModule("nf_tables") + " (CONFIG_NF_TABLES_INET of the kernel)");
    }

    private static Feature filter(String module, Chain.Hook hook, Statement... statements) {
        return chain(module, Chain.Type.FILTER, hook, 0, statements);
    }

    private static Feature nat(String module, Chain.Hook hook, Statement... statements) {
        return chain(module, Chain.Type.NAT, hook, 100, statements);
    }

    private static Feature chain(
            String module, Chain.Type type, Chain.Hook hook, int priority, Statement... statements) {
        Chain chain = Chain.base(
                "probe", type, hook, priority, Chain.Policy.ACCEPT, List.of(NftRule.of("probe", statements)));
        return new Feature(module, new Table(id(Table.Family.INET, module), List.of(), List.of(chain)));
    }

    private static NamedSet networksWithPorts() {
        return new NamedSet(
                "networks",
                List.of(NamedSet.Part.IPV4, NamedSet.Part.TRANSPORT),
                true,
                List.of(NftValue.Tuple.of(
                        new NftValue.Address(Prefix.parse("192.0.2.0/24")), NftValue.Word.of(Transport.TCP))));
    }

    private static Table.Id id(Table.Family family, String name) {
        return new Table.Id(family, "culvert_probe_" + name);
    }
}
