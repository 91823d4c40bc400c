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
 * Reconciles a running exit node with its plan. Every event is handled in the same way ({@link #settle}): the machine
 * is read, the plan is computed again, and every difference is corrected; so a changed uplink, a killed child process
 * and a deleted rule need no handling of their own.
 */
final class Chain {

    /** How long to wait before the next attempt after a failed one, when no event comes before. */
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
                "removing the kill switch",
                container.present() ? () -> FirstGuard.tellThatItStays(container, journal) : parts.guard()::disarm);
        parts.guard().arm(plan);
        journal.info("kill switch: active");
        tellOverruled();
        Watch begun = Watch.start(journal, parts.kernel(), () -> parts.wakeups().add(new Event.MachineChanged()));
        undo.push("stopping the event listeners", begun::close);
        watch = Optional.of(begun);
        if (!parts.kernel().machine().equals(inputs.machine())) {
            // The machine changed before the event listeners were open.
            parts.wakeups().add(new Event.MachineChanged());
        }
    }

    void answerForItself(Undo undo) {
        // A run that was killed may have left its health marker behind.
        HealthWait.tell(parts.around().statusSocket(), false);
        undo.push(
                "removing the health marker",
                () -> HealthWait.tell(parts.around().statusSocket(), false));
        undo.push("closing the status socket", StatusService.open(parts.around(), parts.wakeups())::close);
    }

    void resolveNames(Undo undo) {
        undo.push("restoring /etc/resolv.conf", parts.names()::close);
        parts.names().resolve(plan);
    }

    void raiseTunnel(Undo undo) {
        undo.push("stopping the child processes", parts.supervisor()::stopAll);
        undo.push("removing " + ExitNodePlan.TUNNEL, parts.tunnel()::remove);
        takeFreePort();
        parts.tunnel().keep(plan.tunnel());
        servers.begin(now());
        parts.kernel().network().ensure(plan.tunnelNetwork());
        journal.info("tunnel: " + ExitNodePlan.TUNNEL + " is up ("
                + parts.tunnel().implementation() + "), waiting for a handshake with " + servers.name(plan));
        parts.names().serve(plan);
        leadNames();
    }

    void chainMesh(Undo undo) {
        undo.push("detaching the mesh", parts.mesh()::unchain);
        if (inputs.settings().mesh().kind() != MeshSettings.Kind.NONE) {
            Forwarding switches = new Forwarding(parts.kernel().sysctl());
            undo.push("restoring the forwarding sysctls", switches::close);
            forwarding = Optional.of(switches);
            forward();
        }
        parts.mesh().chain(plan);
        parts.kernel().network().apply(plan.network());
        parts.names().serveMesh(plan);
        leadNames();
        journal.info("mesh: " + parts.mesh().describe());
    }

    /**
     * Enables IP forwarding; idempotent. Where sysctls are writable, this includes an address family that the tunnel
     * carries and the uplink does not have.
     */
    private void forward() {
        Set<Family> families = EnumSet.noneOf(Family.class);
        families.addAll(plan.families());
        if (inputs.machine().writableSysctl()) {
            families.addAll(plan.carried());
        }
        forwarding.ifPresent(switches -> switches.enable(families, uplinks()));
    }

    void openProxy(Undo undo) {
        undo.push("stopping the proxy", parts.proxy()::close);
        parts.proxy().follow(plan, parts.supervisor());
    }

    /** Handles events until a stop is requested. */
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
                        journal.info("stopping (received " + why + ")");
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

    /**
     * Publishes the health on every change, and logs once that the exit node is ready: the tunnel is connected and the
     * proxy accepts clients.
     */
    private void tellWhenReady() {
        tellHealth(servers.verdict() == Verdict.CONNECTED && seen.isPresent() && trouble.isEmpty());
        if (servers.verdict() == Verdict.CONNECTED) {
            parts.names().tunnelWorks();
            parts.mesh().offerExit();
        }
        if (!ready && servers.verdict() == Verdict.CONNECTED && parts.proxy().isReady()) {
            ready = true;
            journal.info("ready: traffic exits through " + servers.name(plan) + ", "
                    + Duration.between(started, now()).toMillis() + " ms after start");
        }
    }

    private void tellHealth(boolean now) {
        if (healthy != now) {
            healthy = now;
            HealthWait.tell(parts.around().statusSocket(), now);
        }
    }

    /**
     * Reconciles the machine, as it is now, with the plan. Any failure is logged once and retried: ending here would
     * end the kill switch.
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
                journal.info("tunnel: " + ExitNodePlan.TUNNEL + " configured for " + servers.name(plan));
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
            trouble.ifPresent(_ -> journal.info("recovered"));
            trouble = Optional.empty();
        } catch (RuntimeException e) {
            complain(e);
        } finally {
            settled = now();
        }
    }

    /** Makes the tunnel and the mesh send from the machine's new addresses, so that their peers learn of them. */
    private void announce(MainTable now) {
        if (!now.equals(announced)) {
            parts.tunnel().announce(Instant.MIN);
            parts.mesh().announce();
            announced = now;
        }
    }

    /**
     * Logs rules and routes of other programs that override the kill switch, once when they appear and when all are
     * gone.
     */
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
                reasons.forEach(reason -> sentences.add("kill switch: " + layer + " not in effect (" + reason + ")")));
        return sentences;
    }

    /**
     * Rejects an uplink that has the name of one of the exit node's own interfaces: the kill switch matches interfaces
     * by name and would treat it as the tunnel or the mesh.
     */
    private void requireUplinkOfItsOwnName(Machine machine) {
        machine.uplinks().values().stream()
                .map(Uplink::link)
                .filter(plan.claim().innerLinks()::contains)
                .findFirst()
                .ifPresent(link -> {
                    parts.guard().close();
                    throw new ProblemException(Problem.failure(
                            Place.machine(link),
                            "this uplink has the name of one of Culvert's interfaces, so the kill switch blocks all"
                                    + " traffic",
                            Hints.here().otherName(link)));
                });
    }

    /**
     * Picks a free UDP port for the tunnel, because the kill switch admits the tunnel's packets from one source port
     * only. Does nothing while the device exists, as it has bound its port already; userspace WireGuard does not even
     * report when it cannot bind one.
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

    /** Redirects DNS queries to the port that the DNS stub could bind. */
    private void leadNames() {
        int port = parts.names().port();
        if (port != inputs.dnsPort()) {
            journal.warn("dns: port " + inputs.dnsPort() + " is in use by another program; listening on port " + port);
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

    /** @return whether the planned kill switch has changed */
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

    /** Reports address conflicts between the tunnel and a network that was connected after the start. */
    private void tellConflicts(Machine machine) {
        List<Problem> known = Requirements.conflicts(inputs.machine(), parts.reading());
        journal.problems(Requirements.conflicts(machine, parts.reading()).stream()
                .filter(problem -> !known.contains(problem))
                .toList());
    }

    /**
     * Logs what was corrected in the kill switch: a warning where another program had changed it, information where the
     * plan changed with the machine or a name, and debug output where only the nftables ruleset did, as when the mesh's
     * own addresses become known.
     */
    private void tell(boolean followed, List<String> done) {
        done.forEach(line -> {
            if (followed && line.equals(Guard.NFTABLES)) {
                journal.debug("kill switch: updated: " + line);
            } else if (followed) {
                journal.info("kill switch: updated: " + line);
            } else {
                journal.warn("kill switch: reverted an external change: " + line);
            }
        });
    }

    /** Whether something is to be corrected that no event will announce. */
    private boolean isUnsettled() {
        return trouble.isPresent()
                || seen.isEmpty()
                || !parts.names().isServing()
                || watch.filter(Watch::isDeaf).isPresent();
    }

    /** @return when to check again if no event comes before */
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
                // The server may have a new address, or may respond at its configured endpoint again.
                parts.names().lookNow();
                parts.tunnel().returnToEndpoints();
            }
        }
        Instant retry = settled.plus(RETRY);
        return isUnsettled() && next.isAfter(retry) ? retry : next;
    }

    /**
     * Follows a server that has roamed. Packets to its new address pass as replies to what came from there, but only
     * until connection tracking has dropped that entry; so the kill switch admits the new address too.
     */
    private void followRoaming(Optional<InetSocketAddress> now) {
        if (!now.equals(roamed)) {
            roamed = now;
            now.ifPresent(at -> journal.info("tunnel: the server responds from " + Endpoint.of(at)
                    + " instead of its Endpoint; sending to that address (authenticated by the server's key)"));
            settle();
        }
    }

    private StatusReport report() {
        look();
        Map<String, List<String>> decidesInstead = parts.guard().overruled(plan);
        return StatusOf.chain(
                servers.name(plan)
                        + roamed.map(at -> ", responding from " + Endpoint.of(at))
                                .orElse(""),
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
