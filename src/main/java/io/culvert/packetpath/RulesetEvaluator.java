// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import io.culvert.nft.KernelChain;
import io.culvert.nft.KernelTable;
import io.culvert.nft.KernelVerdict;
import io.culvert.nft.NfTables;
import io.culvert.nft.TableRule;
import io.culvert.packetpath.RouteEvaluator.Result;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/** Evaluates the base chains of all tables at a hook, as the kernel does. */
final class RulesetEvaluator<B> {

    /** {@code NF_INET_*} (include/uapi/linux/netfilter.h). */
    enum Hook {
        PREROUTING(0),
        INPUT(1),
        FORWARD(2),
        OUTPUT(3),
        POSTROUTING(4);

        private final int number;

        Hook(int number) {
            this.number = number;
        }

        /** Returns whether packets begin their path here: connections are looked up, and destinations are translated. */
        boolean isFirst() {
            return this == PREROUTING || this == OUTPUT;
        }

        String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** {@code NF_IP_PRI_CONNTRACK} (include/uapi/linux/netfilter_ipv4.h): where connections are looked up. */
    private static final int CONNECTION_TRACKING = -200;

    /** {@code NF_IP_PRI_NAT_DST}, {@code NF_IP_PRI_NAT_SRC}: where the kernel translates, whatever a chain's priority says. */
    private static final int DESTINATION_NAT = -100;

    private static final int SOURCE_NAT = 100;

    /** include/uapi/linux/netfilter/nf_tables.h, netfilter.h. */
    private static final int NFT_GOTO = -4;

    private static final int NFT_CONTINUE = -1;
    private static final int NF_STOLEN = 2;

    private record BaseChain(KernelTable table, KernelChain chain, KernelChain.Hook hook) {

        boolean isTranslating() {
            return hook.type().equals("nat");
        }
    }

    private final Logic<B> logic;
    private final List<KernelTable> tables;
    private final Links links;
    private final Notes notes;
    private final Consumer<Step<B>> trace;

    RulesetEvaluator(Logic<B> logic, List<KernelTable> tables, Links links, Notes notes, Consumer<Step<B>> trace) {
        this.logic = logic;
        this.tables = tables;
        this.links = links;
        this.notes = notes;
        this.trace = trace;
    }

    /**
     * What is left of packets after a hook. Those with another destination are apart, so that addresses stay simple.
     *
     * @param packet as it is now
     * @param accepted the packets that go on
     * @param route that of the packets, at the output hook
     */
    record Outcome<B>(PacketState<B> packet, B accepted, Result<B> route) {}

    /** Looks up a route once more, at once, for local packets that a chain changed. */
    interface Rerouting<B> {

        /** Returns the outcome with the new route of the packets that were changed, without those that have none. */
        Outcome<B> reroute(Outcome<B> outcome, B changed);
    }

    /** Evaluates all base chains at a hook after which no route is looked up once more. */
    List<Outcome<B>> evaluate(Hook hook, PacketState<B> packet, B packets) {
        Result<B> none = new Result<>(links.none(logic), logic.no(), logic.no());
        return evaluate(hook, new Outcome<>(packet, packets, none), (outcome, _) -> outcome);
    }

    /** Evaluates all base chains at a hook. */
    List<Outcome<B>> evaluate(Hook hook, Outcome<B> start, Rerouting<B> rerouting) {
        List<BaseChain> chains = baseChains(hook, start.packet().family());
        List<BaseChain> translating =
                chains.stream().filter(BaseChain::isTranslating).toList();
        int translation = hook.isFirst() ? DESTINATION_NAT : SOURCE_NAT;
        List<BaseChain> before = new ArrayList<>();
        List<BaseChain> after = new ArrayList<>();
        for (BaseChain chain : chains) {
            if (!chain.isTranslating()) {
                (chain.hook().priority() <= translation ? before : after).add(chain);
            }
        }
        Outcome<B> untranslated = evaluate(hook, before, start, rerouting);
        List<Outcome<B>> translated =
                translating.isEmpty() ? List.of(untranslated) : translate(hook, translating, untranslated, rerouting);
        return translated.stream()
                .map(outcome -> evaluate(hook, after, outcome, rerouting))
                .toList();
    }

    private Outcome<B> evaluate(Hook hook, List<BaseChain> chains, Outcome<B> start, Rerouting<B> rerouting) {
        PacketState<B> packet = start.packet();
        Outcome<B> outcome = start;
        for (BaseChain base : chains) {
            packet.forgetChanges();
            B accepted = evaluate(hook, base, packet, outcome.accepted()).accepted();
            outcome = new Outcome<>(packet, accepted, outcome.route());
            if (base.hook().type().equals("route")) {
                outcome = reroute(rerouting, outcome, logic.and(accepted, packet.isChanged()));
            }
        }
        return outcome;
    }

    private Outcome<B> reroute(Rerouting<B> rerouting, Outcome<B> outcome, B changed) {
        return logic.isNo(changed) ? outcome : rerouting.reroute(outcome, changed);
    }

    private List<BaseChain> baseChains(Hook hook, Family family) {
        List<BaseChain> chains = new ArrayList<>();
        for (KernelTable table : tables) {
            boolean isOfFamily = table.family() == KernelTable.INET
                    || table.family() == (family == Family.IPV4 ? KernelTable.IPV4 : KernelTable.IPV6);
            if (isOfFamily && !table.isDormant()) {
                table.chains()
                        .forEach(chain -> chain.hook()
                                .filter(it -> it.number() == hook.number)
                                .ifPresent(it -> chains.add(new BaseChain(table, chain, it))));
            }
        }
        // Of the same priority, the kernel calls the one first that was added last (nf_hook_entries_grow).
        Collections.reverse(chains);
        chains.sort(Comparator.comparingInt(chain -> chain.hook().priority()));
        return chains;
    }

    /**
     * Translates addresses: of a connection's first packet by the rules, of its other packets as that of the first. As the rules
     * may have been others at that time, these may have any destination.
     */
    private List<Outcome<B>> translate(
            Hook hook, List<BaseChain> chains, Outcome<B> untranslated, Rerouting<B> rerouting) {
        PacketState<B> packet = untranslated.packet();
        B rest = untranslated.accepted();
        B first = logic.and(
                rest,
                logic.or(packet.isConnectionState(PacketState.NEW), packet.isConnectionState(PacketState.RELATED)));
        List<Outcome<B>> outcomes = new ArrayList<>();
        for (BaseChain base : chains) {
            ChainResult<B> result = evaluate(hook, base, packet, first);
            for (RuleEvaluator.Translation<B> translation : result.translations()) {
                PacketState<B> translated = packet.copy();
                translated.setDestination(translation.address(), translation.port());
                outcomes.add(reroute(
                        rerouting,
                        new Outcome<>(translated, translation.packets(), untranslated.route()),
                        logic.and(translation.packets(), translation.isElsewhere())));
                first = logic.and(first, logic.not(translation.packets()));
                rest = logic.and(rest, logic.not(translation.packets()));
            }
            rest = logic.and(rest, logic.or(logic.not(first), result.accepted()));
            first = logic.and(first, logic.and(result.accepted(), logic.not(packet.isSourceChanged())));
        }
        if (hook.isFirst()) {
            B later = logic.and(untranslated.accepted(), packet.isConnectionState(PacketState.ESTABLISHED));
            PacketState<B> translated = packet.copy();
            translated.setDestination(logic.unknown(packet.family().bits()), Optional.of(logic.unknown(Short.SIZE)));
            if (hook == Hook.OUTPUT) {
                // The link of the untranslated destination, which has nothing to do with this one.
                translated.setOutputLink(links.unknown(logic));
            }
            outcomes.add(reroute(rerouting, new Outcome<>(translated, later, untranslated.route()), later));
        }
        outcomes.add(new Outcome<>(packet, rest, untranslated.route()));
        return outcomes;
    }

    /** The packets that a base chain accepts, and those whose destination it translates. */
    private record ChainResult<B>(B accepted, List<RuleEvaluator.Translation<B>> translations) {}

    private ChainResult<B> evaluate(Hook hook, BaseChain base, PacketState<B> packet, B packets) {
        if (logic.isNo(packets)) {
            return new ChainResult<>(packets, List.of());
        }
        ChainRun run = new ChainRun(hook, base, packet, hasConnection(hook, base));
        B rest = run.evaluate(base.chain(), packets);
        String policy = "policy " + (base.hook().isAccepting() ? "accept" : "drop");
        if (!logic.isNo(rest)) {
            run.record(base.chain(), policy, base.hook().isAccepting() ? Step.Effect.ACCEPT : Step.Effect.DROP, rest);
        }
        return new ChainResult<>(
                base.hook().isAccepting() ? logic.or(run.accepted, rest) : run.accepted, run.evaluator.translations());
    }

    /** Of the priority of connection tracking, a chain is called before or after it, whichever was added last. */
    private B hasConnection(Hook hook, BaseChain base) {
        int order = hook.isFirst() ? Integer.compare(base.hook().priority(), CONNECTION_TRACKING) : 1;
        if (order == 0) {
            return logic.unknown();
        }
        return order > 0 ? logic.yes() : logic.no();
    }

    /** The evaluation of one base chain and the chains that it calls. */
    private final class ChainRun {

        private final Hook hook;
        private final BaseChain base;
        private final RuleEvaluator<B> evaluator;
        private final B hasConnection;
        private B accepted = logic.no();

        ChainRun(Hook hook, BaseChain base, PacketState<B> packet, B hasConnection) {
            this.hook = hook;
            this.base = base;
            this.evaluator = new RuleEvaluator<>(logic, links, notes, base.table(), packet);
            this.hasConnection = hasConnection;
        }

        /** Returns the packets that the chain does not decide about, or returns from. */
        B evaluate(KernelChain chain, B packets) {
            B here = packets;
            B returned = logic.no();
            for (TableRule rule : chain.rules()) {
                if (logic.isNo(here)) {
                    break;
                }
                for (RuleEvaluator.Decision<B> decision : evaluator.evaluate(rule, here, hasConnection)) {
                    B decided = decision.packets();
                    if (logic.isNo(decided)) {
                        continue;
                    }
                    KernelVerdict verdict = decision.verdict();
                    switch (verdict.code()) {
                        case NfTables.NF_ACCEPT -> {
                            accepted = logic.or(accepted, decided);
                            record(chain, text(rule), Step.Effect.ACCEPT, decided);
                        }
                        case NfTables.NFT_JUMP -> {
                            B back = enter(verdict.chain(), decided);
                            here = logic.or(logic.and(here, logic.not(decided)), back);
                            continue;
                        }
                        case NFT_GOTO -> returned = logic.or(returned, enter(verdict.chain(), decided));
                        case NfTables.NFT_RETURN -> returned = logic.or(returned, decided);
                        case NFT_CONTINUE -> {
                            continue;
                        }
                        case NfTables.NF_DROP, NF_STOLEN -> record(chain, text(rule), Step.Effect.DROP, decided);
                        // A program decides, or a future verdict.
                        default -> {
                            accepted = logic.or(accepted, logic.and(decided, logic.unknown()));
                            record(chain, text(rule), Step.Effect.ACCEPT, decided);
                        }
                    }
                    here = logic.and(here, logic.not(decided));
                }
            }
            return logic.or(here, returned);
        }

        private B enter(String name, B packets) {
            return base.table()
                    .chain(name)
                    .map(chain -> evaluate(chain, packets))
                    .orElse(packets);
        }

        private String text(TableRule rule) {
            return rule.comment().isEmpty() ? "rule with handle " + rule.handle() : '"' + rule.comment() + '"';
        }

        void record(KernelChain chain, String what, Step.Effect effect, B packets) {
            trace.accept(new Step<>(
                    hook.text(),
                    "table " + base.table().fullName() + ", chain " + chain.name() + ", " + what,
                    effect,
                    packets));
        }
    }
}
