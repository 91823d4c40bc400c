package io.culvert.exitnode;

import io.culvert.device.DeviceState;
import io.culvert.exitnode.Event.Stop;
import io.culvert.health.TunnelHealth.Verdict;
import io.culvert.ip.Endpoint;
import io.culvert.ip.Family;
import io.culvert.linux.Container;
import io.culvert.network.Forwarding;
import io.culvert.network.Machine;
import io.culvert.network.MainTable;
import io.culvert.network.UdpPorts;
import io.culvert.network.Uplink;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.process.ChildEvent;
import io.culvert.process.PrivilegedSiblings;
import io.culvert.run.Journal;
import io.culvert.run.Undo;
import io.culvert.run.Watch;
import io.culvert.settings.MeshSettings;
import io.culvert.status.HealthWait;
import io.culvert.status.StatusReport;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The running chain. Whatever happens, the same is done: the machine is looked at, the plan is made anew, and what differs
 * from it is put right ({@link #settle}); so a changed uplink, a killed child and a deleted rule are all handled in one way.
 */
final class Chain {

    /** When something could not be put right, and nothing happens that would be a reason to try again. */
    private static final Duration RETRY = Duration.ofSeconds(2);

    private final Parts parts;
    private final Journal journal;
    private final Failover servers;
    private final ChildNews children;
    private final Instant started;
    private ExitNodeInputs inputs;
    private ExitNodePlan plan;
    private Optional<String> trouble = Optional.empty();
    private Set<String> overruled = Set.of();
    private Optional<DeviceState> seen = Optional.empty();
    private Optional<InetSocketAddress> roamed = Optional.empty();
    private Optional<Forwarding> forwarding = Optional.empty();
    private Optional<Watch> watch = Optional.empty();
    private Instant settled;
    private MainTable announced;
    private boolean ready;
    private boolean healthy;

    Chain(Parts parts) {
        this.parts = parts;
        this.journal = parts.around().journal();
        this.servers = new Failover(parts.reading().servers(), Failover.PATIENCE, journal, now());
        this.children = new ChildNews(journal, parts.mesh()::explains);
        this.started = now();
        this.settled = started;
        this.inputs = parts.inputs();
        this.plan = parts.plan();
        this.announced = inputs.machine().main();
    }

    void guard(Undo undo) {
        Container container = Container.of(
                inputs.settings().container(),
                parts.around().environment(),
                parts.around().root());
        undo.push(
                "opening the guard",
                container.present() ? () -> FirstGuard.tellThatItStays(container, journal) : parts.guard()::disarm);
        parts.guard().arm(plan);
        journal.info("guard: closed; nothing leaves but the tunnel's own packets");
        tellOverruled();
        Watch begun = Watch.start(journal, parts.kernel(), () -> parts.wakeups().add(new Event.MachineChanged()));
        undo.push("ending the watch", begun::close);
        watch = Optional.of(begun);
        if (!parts.kernel().machine().equals(inputs.machine())) {
            // It changed before anybody listened.
            parts.wakeups().add(new Event.MachineChanged());
        }
    }

    void answerForItself(Undo undo) {
        // One that was killed may have left the word that it is healthy.
        HealthWait.tell(parts.around().statusSocket(), false);
        undo.push("being healthy", () -> HealthWait.tell(parts.around().statusSocket(), false));
        undo.push("closing the status socket", StatusService.open(parts.around(), parts.wakeups())::close);
    }

    void resolveNames(Undo undo) {
        undo.push("giving resolv.conf back", parts.names()::close);
        parts.names().resolve(plan);
    }

    void raiseTunnel(Undo undo) {
        undo.push("ending the children", parts.supervisor()::stopAll);
        undo.push("removing " + ExitNodePlan.TUNNEL, parts.tunnel()::remove);
        takeFreePort();
        parts.tunnel().keep(plan.tunnel());
        servers.begin(now());
        parts.kernel().network().ensure(plan.tunnelNetwork());
        journal.info("tunnel: " + ExitNodePlan.TUNNEL + " is up ("
                + parts.tunnel().implementation() + "), waiting for " + servers.name(plan));
        parts.names().serve(plan);
        leadNames();
    }

    void chainMesh(Undo undo) {
        undo.push("unchaining the mesh", parts.mesh()::unchain);
        if (inputs.settings().mesh().kind() != MeshSettings.Kind.NONE) {
            Forwarding switches = new Forwarding(parts.kernel().sysctl());
            undo.push("putting forwarding back", switches::close);
            forwarding = Optional.of(switches);
            forward();
        }
        parts.mesh().chain(plan);
        parts.kernel().network().apply(plan.network());
        parts.names().serveMesh(plan);
        leadNames();
        journal.info("mesh: " + parts.mesh().describe());
    }

    /** Safe to repeat. What the tunnel carries is forwarded whether the uplink has that family or not, where we may. */
    private void forward() {
        Set<Family> families = EnumSet.noneOf(Family.class);
        families.addAll(plan.families());
        if (inputs.machine().writableSysctl()) {
            families.addAll(plan.carried());
        }
        forwarding.ifPresent(switches -> switches.enable(families, uplinks()));
    }

    void openProxy(Undo undo) {
        undo.push("closing the proxy", parts.proxy()::close);
        parts.proxy().follow(plan, parts.supervisor());
    }

    /** Does what events ask for, until one of them is to stop. */
    void watch() throws InterruptedException {
        Instant next = look();
        tellWhenReady();
        while (true) {
            List<Event> come = parts.wakeups().await(Duration.between(now(), next));
            boolean changed = isUnsettled() && !now().isBefore(settled.plus(RETRY));
            if (changed) {
                watch.ifPresent(Watch::mend);
            }
            for (Event event : come) {
                switch (event) {
                    case Stop(String why) -> {
                        journal.info(why + " received");
                        return;
                    }
                    case Event.StatusAsked(var answer) -> answer.completeAsync(this::report, Runnable::run);
                    case Event.Child(ChildEvent what) -> {
                        parts.proxy().heard(what);
                        parts.mesh().heard(what);
                        changed |= children.heard(what);
                    }
                    case Event.Learned(Runnable takeIn) -> {
                        takeIn.run();
                        changed |= !parts.mesh().tailnet().equals(inputs.tailnet());
                    }
                    case Event.MachineChanged(), Event.NamesChanged() -> changed = true;
                }
            }
            if (changed) {
                settle();
            }
            next = look();
            tellWhenReady();
        }
    }

    /** Once, when traffic passes and the proxy takes clients; and whenever it becomes healthy. */
    private void tellWhenReady() {
        tellHealth(servers.verdict() == Verdict.CONNECTED && seen.isPresent() && trouble.isEmpty());
        if (servers.verdict() == Verdict.CONNECTED) {
            parts.names().tunnelWorks();
            parts.mesh().offerExit();
        }
        if (!ready && servers.verdict() == Verdict.CONNECTED && parts.proxy().isReady()) {
            ready = true;
            journal.info("ready: everything exits by " + servers.name(plan) + ", "
                    + Duration.between(started, now()).toMillis() + " ms after the start");
        }
    }

    private void tellHealth(boolean now) {
        if (healthy != now) {
            healthy = now;
            HealthWait.tell(parts.around().statusSocket(), now);
        }
    }

    /**
     * Makes everything as planned for the machine as it is now. What fails, whatever it is, is said once and tried again:
     * to end here would be to end the guard.
     */
    private void settle() {
        try {
            Machine machine = parts.kernel().machine();
            requireUplinkOfItsOwnName(machine);
            boolean followed = follow(inputs.with(servers.config())
                    .with(machine)
                    .with(parts.names().known())
                    .with(parts.mesh().tailnet())
                    .withRoamed(roamed));
            takeFreePort();
            List<String> changed = parts.guard().arm(plan);
            tell(followed, changed);
            if (!changed.isEmpty()) {
                tellHealth(false);
            }
            tellOverruled();
            if (parts.tunnel().keep(plan.tunnel())) {
                journal.info("tunnel: " + ExitNodePlan.TUNNEL + " set to " + servers.name(plan));
                servers.begin(now());
            }
            parts.mesh().chain(plan);
            announce(machine.main());
            parts.kernel().network().apply(plan.network()).forEach(line -> journal.info("network: " + line));
            parts.names().serve(plan);
            parts.names().serveMesh(plan);
            leadNames();
            parts.proxy().follow(plan, parts.supervisor());
            forward();
            trouble.ifPresent(_ -> journal.info("all is as planned again"));
            trouble = Optional.empty();
        } catch (RuntimeException e) {
            complain(e);
        } finally {
            settled = now();
        }
    }

    /** Peers are to learn of the machine's other addresses. */
    private void announce(MainTable now) {
        if (!now.equals(announced)) {
            parts.tunnel().announce(Instant.MIN);
            parts.mesh().announce();
            announced = now;
        }
    }

    /** What decides in the place of our rules is said once when it comes, and when it has gone. */
    private void tellOverruled() {
        Set<String> now = sentences(parts.guard().overruled(plan));
        now.stream().filter(sentence -> !overruled.contains(sentence)).forEach(journal::warn);
        if (now.isEmpty() && !overruled.isEmpty()) {
            journal.info("kill switch: both layers are in effect again");
        }
        overruled = now;
    }

    private static Set<String> sentences(Map<String, List<String>> overruled) {
        Set<String> sentences = new LinkedHashSet<>();
        overruled.forEach((layer, reasons) ->
                reasons.forEach(reason -> sentences.add("kill switch: " + layer + " not holding (" + reason + ")")));
        return sentences;
    }

    /** An uplink that is called like an inner interface would pass for it: the kill switch knows links by their names. */
    private void requireUplinkOfItsOwnName(Machine machine) {
        machine.uplinks().values().stream()
                .map(Uplink::link)
                .filter(plan.claim().innerLinks()::contains)
                .findFirst()
                .ifPresent(link -> {
                    parts.guard().close();
                    throw new ProblemException(Problem.failure(
                            Place.machine(link),
                            "is the uplink and bears the name of an interface of ours, so everything is closed",
                            Hints.here().otherName(link)));
                });
    }

    /**
     * The guard admits the tunnel from one port only, so it must be one that the tunnel gets. Nothing is looked at while there
     * is a device, which has its port; the userspace WireGuard does not even say when it cannot have one.
     */
    private void takeFreePort() {
        if (inputs.server().listenPort().isPresent() || parts.kernel().links().exists(ExitNodePlan.TUNNEL)) {
            return;
        }
        ExitNodeInputs free = ExitNodePlanner.withFreePort(
                inputs, UdpPorts.inUse(parts.around().root()));
        if (free.port() != inputs.port()) {
            inputs = free;
            plan = ExitNodePlanner.plan(inputs);
            parts.guard().arm(plan);
        }
    }

    /** Questions are led to where the stub could listen. */
    private void leadNames() {
        int port = parts.names().port();
        if (port != inputs.dnsPort()) {
            journal.warn(
                    "DNS: port " + inputs.dnsPort() + " is in use by another program (listening on port " + port + ")");
            inputs = inputs.withDnsPort(port);
            plan = ExitNodePlanner.plan(inputs);
            parts.guard().arm(plan);
        }
    }

    private void complain(RuntimeException e) {
        Optional<String> what = Optional.of(String.valueOf(e.getMessage()));
        if (!trouble.equals(what)) {
            journal.failure(e);
        }
        trouble = what;
    }

    /** @return whether the guard is planned in another way now */
    private boolean follow(ExitNodeInputs now) {
        if (now.equals(inputs)) {
            return false;
        }
        ExitNodePlan before = plan;
        if (!now.machine().equals(inputs.machine())) {
            tellConflicts(now.machine());
        }
        inputs = now;
        plan = ExitNodePlanner.plan(inputs);
        parts.names().resolve(plan);
        journal.problems(plan.remarks().stream()
                .filter(remark -> !before.remarks().contains(remark))
                .toList());
        return !plan.guard().equals(before.guard()) || !plan.rules().equals(before.rules());
    }

    /** A network that is connected while we run may not go together with the tunnel. */
    private void tellConflicts(Machine machine) {
        List<Problem> known = Requirements.conflicts(inputs.machine(), parts.reading());
        journal.problems(Requirements.conflicts(machine, parts.reading()).stream()
                .filter(problem -> !known.contains(problem))
                .toList());
    }

    /**
     * A guard that another hand has changed is worth a warning; one that follows the machine or a name is not, and less still
     * when that needs no rule, as when the mesh's own addresses become known.
     */
    private void tell(boolean followed, List<String> done) {
        done.forEach(line -> {
            if (followed && line.equals(Guard.NFTABLES)) {
                journal.debug("guard: follows: " + line);
            } else if (followed) {
                journal.info("guard: follows: " + line);
            } else {
                journal.warn("guard: put back: " + line);
            }
        });
    }

    /** Whether there is something to be put right of which no event will remind us. */
    private boolean isUnsettled() {
        return trouble.isPresent()
                || seen.isEmpty()
                || !parts.names().isServing()
                || watch.filter(Watch::isDeaf).isPresent();
    }

    /** @return when to look again without an event */
    private Instant look() {
        Instant now = now();
        if (settled.isAfter(now)) {
            // The clock was set back.
            settled = now;
        }
        try {
            seen = parts.tunnel().read();
        } catch (RuntimeException e) {
            seen = Optional.empty();
            complain(e);
        }
        if (seen.isEmpty()) {
            return settled.plus(RETRY);
        }
        Instant next = servers.judge(seen.get(), plan, now);
        followRoaming(Roaming.of(seen.get(), plan.tunnel()));
        if (servers.isDue(now)) {
            parts.names().tryOthers(servers.names());
            if (servers.next(now)) {
                roamed = Optional.empty();
                settle();
            } else {
                // Its server may have moved, or answer at its own endpoint again.
                parts.names().lookNow();
                parts.tunnel().returnToEndpoints();
            }
        }
        Instant retry = settled.plus(RETRY);
        return isUnsettled() && next.isAfter(retry) ? retry : next;
    }

    /**
     * What goes to where the server is now are replies to what came from there, and pass. As soon as the kernel has forgotten the
     * conversation, they would not: it is a server of the kill switch's then.
     */
    private void followRoaming(Optional<InetSocketAddress> now) {
        if (!now.equals(roamed)) {
            roamed = now;
            now.ifPresent(at -> journal.info("tunnel: the server answers from " + Endpoint.of(at)
                    + ", not from its endpoint; it is sent to there, as it has proved its key"));
            settle();
        }
    }

    private StatusReport report() {
        look();
        Map<String, List<String>> decidesInstead = parts.guard().overruled(plan);
        return StatusOf.chain(
                servers.name(plan)
                        + roamed.map(at -> ", answers from " + Endpoint.of(at)).orElse(""),
                parts.tunnel().implementation(),
                seen,
                parts.guard().layers(plan, decidesInstead),
                children.doing(),
                parts.mesh().describe(),
                servers.verdict(),
                trouble,
                Stream.concat(sentences(decidesInstead).stream(), new PrivilegedSiblings().find().stream())
                        .toList());
    }

    private Set<String> uplinks() {
        return inputs.machine().uplinks().values().stream().map(Uplink::link).collect(Collectors.toSet());
    }

    private Instant now() {
        return parts.around().clock().instant();
    }
}
