// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.audit.Auditor;
import io.culvert.controlserver.ExitNodeFigures;
import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.diagnostics.UndoStack;
import io.culvert.exitnode.ExitNodeEvent.Stop;
import io.culvert.leaktest.LeakTestResult;
import io.culvert.linux.Container;
import io.culvert.linux.Egress;
import io.culvert.linux.HostName;
import io.culvert.linux.IdleMemory;
import io.culvert.mesh.Mesh;
import io.culvert.net.Endpoint;
import io.culvert.net.Family;
import io.culvert.nft.RulesetReader;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.process.ChildEvent;
import io.culvert.process.PrivilegedSiblings;
import io.culvert.reconcile.ChangeWatcher;
import io.culvert.reconcile.FileWatch;
import io.culvert.reconcile.Reconciler;
import io.culvert.reconcile.Reconciler.Response;
import io.culvert.rtnl.ForwardingSysctls;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.MainTable;
import io.culvert.rtnl.RoutingStateReader;
import io.culvert.rtnl.UdpPorts;
import io.culvert.rtnl.Uplink;
import io.culvert.runtime.ServiceManager;
import io.culvert.settings.MeshSettings;
import io.culvert.settings.Settings;
import io.culvert.status.ConfigurationState;
import io.culvert.status.ControlRequest;
import io.culvert.status.ControlResult;
import io.culvert.status.HealthWait;
import io.culvert.status.RuntimeFacts;
import io.culvert.status.StatusReport;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.TunnelHealth.Verdict;
import io.culvert.wireguard.device.WireGuardDevice.Implementation;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reconciles a running exit node with its plan. Every event is handled in the same way ({@link #reconcile}): the
 * machine is read, the plan is computed again, and every difference is corrected; so a changed uplink, a killed child
 * process and a deleted rule need no handling of their own.
 */
final class ExitNode implements Reconciler.Target<ExitNodeEvent> {

    /** Changes of files usually come in groups, and a file may be written in several steps. */
    private static final Duration FILES_QUIET = Duration.ofMillis(250);

    private static final Duration MAX_FILES_DELAY = Duration.ofSeconds(2);

    /** Replaced as a whole; also read by the threads of health checks. */
    private volatile Components components;

    private final Log log;
    private final Failover failover;
    private final KillSwitchLog killSwitchLog;
    private final ChildEvents childEvents;
    private final DataPathProbe dataPathProbe = new DataPathProbe();
    private final LeakTesting leakTesting;
    private final Reconciler<ExitNodeEvent> reconciler;
    private final SwitchRequests switching;
    private final Reload reload;
    private final Instant started;
    private ExitNodeInputs inputs;
    private ExitNodePlan plan;
    private Optional<DeviceState> deviceState = Optional.empty();
    private Optional<InetSocketAddress> roamedEndpoint = Optional.empty();
    private final ForwardingSysctls forwarding;
    private MainTable announcedRoutes;
    private final SelfAudit audit;
    private final HealthChecks healthChecks;
    private final ExitOffer exitOffer;
    private final HttpControl http;
    private final PortForwarder portForwarder;
    private final ClockWatch clockWatch;
    private final ServiceManager serviceManager;
    private Optional<String> clockProblem = Optional.empty();
    private boolean isAuditDue = true;
    private Optional<FileWatch> fileWatch = Optional.empty();
    private Optional<Instant> filesChanged = Optional.empty();
    private Instant reloadDue = Instant.MAX;
    private boolean ready;
    private long serverChanges;
    private long restorations;
    private boolean healthy;
    private boolean connected;

    /** @param auditor for the audit of itself */
    ExitNode(Components components, Auditor auditor) {
        this.components = components;
        this.log = components.environment().log();
        Settings settings = components.inputs().settings();
        String hostName = HostName.read(components.environment().root());
        this.failover = new Failover(
                new ServerSelection(
                        components.configuration().servers(),
                        settings.wireGuard().order(),
                        hostName,
                        settings.wireGuard().returnAfter(),
                        components.environment().system().random().get(),
                        now()),
                new DataPath(settings.wireGuard().probe(), now()),
                components.environment().clock(),
                log,
                now());
        this.forwarding = new ForwardingSysctls(components.kernel().sysctl());
        this.killSwitchLog = new KillSwitchLog(log);
        this.childEvents = new ChildEvents(log, child -> this.components.mesh().reportsItself(child));
        this.leakTesting = new LeakTesting(
                components.inputs().settings().leakTest(),
                components.killSwitch(),
                components.events(),
                components.environment());
        this.healthChecks = new HealthChecks(
                this::mesh,
                components.environment().system(),
                task -> components.events().add(new ExitNodeEvent.DeferredUpdate(task)),
                log);
        this.exitOffer =
                new ExitOffer(this::mesh, components.inputs().settings().mesh().withdrawAfter(), log);
        this.http = new HttpControl(components.environment(), settings, hostName, components.events(), this::figures);
        this.portForwarder = new PortForwarder(
                components.environment(),
                components.configuration().identity(),
                task -> components.events().add(new ExitNodeEvent.DeferredUpdate(task)));
        this.clockWatch = new ClockWatch(components.environment());
        this.serviceManager = ServiceManager.of(components.environment());
        this.started = now();
        this.reconciler = new Reconciler<>(
                log, components.environment().monotonicClock(), components.events(), Duration.ZERO, "recovered", this);
        this.switching = new SwitchRequests(
                failover, this::reconnect, components.environment().monotonicClock(), log);
        this.reload = new Reload(components.environment().clock().instant());
        this.inputs = components.inputs().with(it -> it.server = failover.config());
        this.plan = ExitNodePlanner.plan(inputs);
        this.announcedRoutes = inputs.machine().main();
        this.audit = new SelfAudit(
                auditor,
                new RoutingStateReader(components.kernel().route()),
                RulesetReader.open(components.environment().system().netlink()),
                action -> components.events().add(new ExitNodeEvent.DeferredUpdate(action)),
                this::reconcileNow,
                components.environment().system().threads(),
                log);
    }

    void activateKillSwitch(UndoStack undo) {
        Container container = Container.of(
                inputs.settings().container(),
                components.environment().variables(),
                components.environment().root());
        undo.push(
                "removing the kill switch",
                container.present()
                        ? () -> EarlyKillSwitch.logStaysActive(container, log)
                        : components.killSwitch()::remove);
        undo.push("ending the audit", audit::close);
        components.killSwitch().apply(plan);
        leakTesting.applyBlock(!audit.violations().isEmpty());
        log.info("kill switch: active");
        killSwitchLog.overrides(components.killSwitch().overrides(plan));
        reconciler.watch(
                ChangeWatcher.kernelEvents(
                        components.environment().system().netlink(),
                        components.kernel().route().portId()),
                new ExitNodeEvent.MachineChanged());
        undo.push("stopping the event listeners", reconciler::close);
        if (!components.kernel().machine().equals(inputs.machine())) {
            // The machine changed before the event listeners were open.
            components.events().add(new ExitNodeEvent.MachineChanged());
        }
    }

    void openStatusSocket(UndoStack undo) {
        // A run that was killed may have left its health marker behind.
        HealthWait.setMarker(components.environment().statusSocket(), false);
        undo.push(
                "removing the health marker",
                () -> HealthWait.setMarker(components.environment().statusSocket(), false));
        undo.push(
                "closing the status socket", StatusService.open(components.environment(), components.events())::close);
    }

    /** Watches the files of the configuration, which may have changed since they were read. */
    void watchFiles(UndoStack undo) {
        FileWatch watch = FileWatch.start(
                components.environment().system().inotify().get(),
                LoadedConfiguration.sources(components.environment()),
                () -> components.events().add(new ExitNodeEvent.FilesChanged()));
        fileWatch = Optional.of(watch);
        undo.push("ending the file watch", watch::close);
        filesChanged();
    }

    void startNameResolution(UndoStack undo) {
        undo.push("restoring /etc/resolv.conf", components.dns()::close);
        components.dns().trackNames(plan);
    }

    void startTunnel(UndoStack undo) {
        undo.push("stopping the child processes", components.supervisor()::stopAll);
        undo.push("removing " + plan.identity().link(), components.tunnel()::remove);
        chooseFreePort();
        components.tunnel().ensure(plan.tunnel());
        failover.restart(now());
        components.kernel().network().ensure(plan.tunnelNetwork());
        log.info("tunnel: " + plan.identity().link() + " is up ("
                + components.tunnel().implementation() + "), waiting for a handshake with "
                + failover.describeServer(plan));
        components.dns().serve(plan);
        redirectDns();
    }

    void attachMesh(UndoStack undo) {
        undo.push("detaching the mesh", () -> components.mesh().detach());
        undo.push("restoring the forwarding sysctls", forwarding::close);
        enableForwarding();
        components.mesh().attach(plan);
        components.kernel().network().apply(plan.network());
        components.dns().serveClients(plan);
        redirectDns();
        log.info("mesh: " + components.mesh().describe());
    }

    /**
     * Enables IP forwarding for clients, if there may be some; idempotent. Where sysctls are writable, this includes an address family that the tunnel
     * carries and the uplink does not have.
     */
    private void enableForwarding() {
        if (inputs.settings().mesh().kind() == MeshSettings.Kind.NONE
                && inputs.settings().gatewayClients().isEmpty()) {
            return;
        }
        Set<Family> families = EnumSet.noneOf(Family.class);
        families.addAll(plan.families());
        if (inputs.machine().writableSysctl()) {
            families.addAll(plan.carried());
        }
        forwarding.enable(families, uplinks());
    }

    void startProxies(UndoStack undo) {
        undo.push("stopping the proxies", components.proxies()::close);
        components.proxies().apply(plan, components.supervisor());
        undo.push("ending the health checks", healthChecks::close);
        healthChecks.start(components);
    }

    /** Starts the HTTP control server, if it is enabled. */
    void startHttp(UndoStack undo) {
        undo.push("closing the HTTP control server", http::close);
        http.apply(components.configuration().settings(), plan);
    }

    /** Lets the provider forward a port, if that is enabled, until the stop. */
    void forwardPort(UndoStack undo) {
        undo.push("giving the forwarded port back", portForwarder::close);
    }

    /** @return when to call this again at the latest */
    private Instant updateForwardedPort() {
        Instant next = portForwarder.update(
                inputs.with(it -> it.paused = switching.isPaused()),
                plan,
                failover.file().toString(),
                connected,
                now());
        if (!portForwarder.port().equals(inputs.forwardedPort())) {
            reconciler.reconcile();
        }
        return next;
    }

    /** Handles events until a stop is requested. */
    void handleEvents() throws InterruptedException {
        reconciler.run();
    }

    @Override
    public Response handle(ExitNodeEvent event) {
        return switch (event) {
            case Stop(String why) -> {
                log.info("stopping (received " + why + ")");
                serviceManager.stopping();
                yield Response.STOP;
            }
            case ExitNodeEvent.StatusRequested(var response) -> {
                response.completeAsync(this::statusReport, Runnable::run);
                yield Response.NOTHING;
            }
            case ExitNodeEvent.LeakTestRequested(var response) -> {
                leakTesting.request(response);
                yield Response.NOTHING;
            }
            case ExitNodeEvent.LeakTestFinished(LeakTestResult result) -> {
                leakTesting.finished(result, inputs, plan);
                yield Response.RECONCILE;
            }
            case ExitNodeEvent.Child(ChildEvent childEvent) -> {
                components.proxies().handle(childEvent);
                components.mesh().handle(childEvent);
                yield Response.reconcileIf(childEvents.handle(childEvent));
            }
            case ExitNodeEvent.DeferredUpdate(Runnable update) -> {
                update.run();
                yield Response.reconcileIf(!components.mesh().tailnet().equals(inputs.tailnet()));
            }
            case ExitNodeEvent.MachineChanged() -> {
                isAuditDue = true;
                yield Response.RECONCILE;
            }
            case ExitNodeEvent.NamesChanged() -> Response.RECONCILE;
            case ExitNodeEvent.FilesChanged() -> {
                filesChanged();
                yield Response.NOTHING;
            }
            case ExitNodeEvent.ReloadRequested(String why) -> {
                reload(why, true);
                yield Response.NOTHING;
            }
            case ExitNodeEvent.ControlRequested(ControlRequest request, var response) -> {
                switch (request.kind()) {
                    case RELOAD -> response.accept(reload("culvert reload", true));
                    case NEXT -> switching.next(response);
                    case USE -> switching.use(request.server(), response);
                    case PAUSE -> {
                        portForwarder.release();
                        switching.pause(response);
                    }
                    case RESUME -> switching.resume(response);
                }
                yield Response.NOTHING;
            }
        };
    }

    private void filesChanged() {
        Instant now = now();
        Instant first = filesChanged.orElse(now);
        filesChanged = Optional.of(first);
        Instant latest = first.plus(MAX_FILES_DELAY);
        reloadDue = now.plus(FILES_QUIET).isBefore(latest) ? now.plus(FILES_QUIET) : latest;
    }

    /**
     * Loads settings and files again, and applies the difference. What cannot be loaded changes nothing.
     *
     * @param requested whether it was requested, so that it is logged even if nothing has changed
     */
    private ControlResult reload(String why, boolean requested) {
        filesChanged = Optional.empty();
        reloadDue = Instant.MAX;
        List<Problem> errors = reload.errors();
        if (ready && requested) {
            serviceManager.reloading();
        }
        try {
            Optional<LoadedConfiguration> changed = reload.load(components, failover, inputs);
            if (changed.isPresent()) {
                return apply(changed.get(), why);
            }
            if (requested || !errors.isEmpty()) {
                log.info("configuration: unchanged (" + why + ")");
            }
            return ControlResult.done("unchanged");
        } catch (ProblemException e) {
            if (requested || !errors.equals(reload.errors())) {
                log.warn("configuration: not changed (" + why + "), because of errors; the previous one stays in use");
                log.problems(e.problems());
            }
            return new ControlResult(
                    e.exitStatus(), "not changed; the previous configuration stays in use", e.problems());
        } finally {
            if (ready && requested) {
                serviceManager.ready();
            }
            if (fileWatch
                    .filter(watch -> watch.set(LoadedConfiguration.sources(components.environment())))
                    .isPresent()) {
                filesChanged();
            }
        }
    }

    private ControlResult apply(LoadedConfiguration changed, String why) {
        LoadedConfiguration previous = components.configuration();
        log.setLevel(changed.settings().log());
        log.info("configuration: reloaded (" + why + ")");
        if (!changed.settingsTree().equals(previous.settingsTree())) {
            log.info(changed.settingsTree());
        }
        List<Problem> remarks = changed.remarks().stream()
                .filter(remark -> !previous.remarks().contains(remark))
                .toList();
        log.problems(remarks);
        if (components.restartsTailscale(changed)) {
            log.info("mesh: restarting Tailscale, as its settings have changed");
        }
        LoadedConfiguration.Server server = failover.current();
        components = components.with(changed);
        failover.setServers(changed.servers(), now());
        if (!failover.current().equals(server)) {
            roamedEndpoint = Optional.empty();
            log.info("tunnel: using " + failover.file()
                    + (failover.file().equals(server.file()) ? ", which has changed" : ""));
        }
        leakTesting.setAutomatic(changed.settings().leakTest());
        exitOffer.withdrawAfter(changed.settings().mesh().withdrawAfter());
        reconciler.reconcile();
        IdleMemory.release();
        return reconciler
                .error()
                .map(error -> new ControlResult(
                        1,
                        "reloaded, but not applied completely",
                        List.of(Problem.failure(
                                Location.machine("exit node"), error, "see 'culvert status'; this is retried"))))
                .orElse(new ControlResult(0, "reloaded", remarks));
    }

    /** Ends the session with the server, and connects to the one that is selected now, unless paused. */
    private void reconnect() {
        roamedEndpoint = Optional.empty();
        startSession();
    }

    /** Starts a new session: another endpoint of the same server would otherwise continue it, and need not respond. */
    private void startSession() {
        portForwarder.renew();
        components.tunnel().removePeers();
        reconciler.reconcile();
    }

    @Override
    public Instant check() {
        if (!now().isBefore(reloadDue)) {
            reload("a file has changed", false);
        }
        Instant next = earlier(checkTunnel(), reloadDue);
        next = earlier(next, reportHealthAndReadiness());
        next = earlier(next, updateForwardedPort());
        next = earlier(next, switching.check(failover.verdict() == Verdict.CONNECTED));
        next = earlier(next, reportToServiceManager());
        if (leakTesting.isDue()) {
            // What another program has just changed is restored first: only what is open then is a leak.
            reconciler.reconcile();
        }
        Instant leakTest = leakTesting.check(failover.verdict() == Verdict.CONNECTED, inputs, plan);
        return earlier(leakTest, next);
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    private static Instant earlier(Instant one, Optional<Instant> other) {
        return other.map(it -> earlier(one, it)).orElse(one);
    }

    /**
     * Publishes the health on every change, and logs once that the exit node is ready: the tunnel is connected and the
     * proxies accept clients.
     *
     * @return when to call this again at the latest; empty if only a change matters
     */
    private Optional<Instant> reportHealthAndReadiness() {
        reportHealth(failover.isHealthy() && deviceState.isPresent() && !isBlocking() && error().isEmpty());
        if (failover.verdict() == Verdict.CONNECTED) {
            if (!connected) {
                isAuditDue = true;
                reconciler.reconcile();
            }
            components.dns().tunnelConnected();
        }
        connected = failover.verdict() == Verdict.CONNECTED;
        if (!ready
                && failover.verdict() == Verdict.CONNECTED
                && components.proxies().isReady()) {
            ready = true;
            serviceManager.ready();
            log.info("ready: traffic exits through " + failover.describeServer(plan) + ", "
                    + Duration.between(started, now()).toMillis() + " ms after start");
        }
        return exitOffer.update(connected, now());
    }

    /** @return when to report again at the latest, if a watchdog waits for it */
    private Optional<Instant> reportToServiceManager() {
        serviceManager.status(this::serviceStatus);
        return serviceManager.aliveInterval().map(interval -> {
            serviceManager.alive();
            return now().plus(interval);
        });
    }

    private String serviceStatus() {
        if (switching.isPaused()) {
            return "paused";
        }
        if (isBlocking()) {
            return "blocked: packets could leave outside the tunnel";
        }
        return (connected ? "connected to " : "no connection to ") + failover.describeServer(plan);
    }

    /** Returns the error that is retried, or what does not respond. */
    private Optional<String> error() {
        return reconciler.error().or(healthChecks::problem);
    }

    private void reportHealth(boolean now) {
        if (healthy != now) {
            healthy = now;
            HealthWait.setMarker(components.environment().statusSocket(), now);
        }
    }

    /**
     * Reconciles the machine, as it is now, with the plan. A failure is retried: ending here would end the kill
     * switch.
     */
    @Override
    public void reconcile() {
        leakTesting.applyBlock(!audit.violations().isEmpty());
        Machine machine = readMachine();
        rejectConflictingUplinkName(machine);
        ExitNodeInputs configured = Reload.inputs(inputs, components.configuration(), failover.current());
        boolean replanned = replan(configured.with(it -> {
            it.paused = switching.isPaused();
            it.machine = machine;
            it.forwardedPort = portForwarder.port();
            it.names = components.dns().resolvedNames();
            it.tailnet = components.mesh().tailnet();
            it.roamedEndpoint = roamedEndpoint;
        }));
        chooseFreePort();
        List<String> changed = components.killSwitch().apply(plan);
        killSwitchLog.changes(replanned, changed);
        restorations += replanned || changed.isEmpty() ? 0 : 1;
        if (replanned) {
            leakTesting.killSwitchChanged();
        }
        if (!changed.isEmpty()) {
            reportHealth(false);
        }
        killSwitchLog.overrides(components.killSwitch().overrides(plan));
        if (components.tunnel().ensure(plan.tunnel())) {
            log.info("tunnel: " + plan.identity().link() + " configured for " + describeServer());
            failover.restart(now());
            // The audit compares the new kill switch with the port and the servers of the device.
            deviceState = components.tunnel().read();
        }
        components.mesh().attach(plan);
        announceNewAddresses(machine.main());
        components.kernel().network().apply(plan.network()).forEach(line -> log.info("network: " + line));
        components.dns().serve(plan);
        components.dns().serveClients(plan);
        redirectDns();
        components.proxies().apply(plan, components.supervisor());
        http.apply(components.configuration().settings(), plan);
        enableForwarding();
        if (replanned || isAuditDue) {
            audit();
        }
    }

    private String describeServer() {
        return switching.isPaused() ? "no server (paused)" : failover.describeServer(plan);
    }

    /** Returns whether all traffic is to be blocked, because something could leave that the settings do not allow. */
    private boolean isBlocking() {
        return leakTesting.isBlocking() || !audit.violations().isEmpty();
    }

    private void audit() {
        audit.check(PromiseFacts.inputs(
                components.configuration(), inputs.server(), inputs.machine(), inputs.resolvers(), facts()));
        isAuditDue = false;
    }

    private RuntimeFacts facts() {
        return PromiseFacts.of(
                inputs,
                failover.file(),
                deviceState,
                plan.tunnel().listenPort(),
                portForwarder.status(inputs.settings().forwardedPort()));
    }

    /** Applies the result of an audit. */
    private void reconcileNow() {
        reconciler.reconcile();
        reportHealthAndReadiness();
    }

    /** Makes the tunnel and the mesh send from the machine's new addresses, so that their peers detect them. */
    private void announceNewAddresses(MainTable now) {
        if (!now.equals(announcedRoutes)) {
            components.tunnel().announceNewAddresses(Instant.MIN);
            components.mesh().announceNewAddresses();
            announcedRoutes = now;
        }
    }

    /**
     * Rejects an uplink that has the name of one of the exit node's own interfaces: the kill switch matches interfaces
     * by name and would treat it as the tunnel or the mesh.
     */
    private void rejectConflictingUplinkName(Machine machine) {
        machine.uplinks().values().stream()
                .map(Uplink::link)
                .filter(plan.routingIntent().inputLinks()::contains)
                .findFirst()
                .ifPresent(link -> {
                    components.killSwitch().blockAllTraffic();
                    throw new ProblemException(Problem.failure(
                            Location.machine(link),
                            "this uplink has the name of one of Culvert's interfaces, so the kill switch blocks all"
                                    + " traffic",
                            Hints.here().renameInterface(link)));
                });
    }

    /**
     * Picks a free UDP port for the tunnel, because the kill switch admits the tunnel's packets from one source port
     * only. Does nothing while the device has bound the planned port; userspace WireGuard does not even report when it
     * cannot bind one.
     */
    private void chooseFreePort() {
        if (inputs.server().listenPort().isPresent()) {
            return;
        }
        boolean exists = components.kernel().links().exists(plan.identity().link());
        OptionalInt bound = exists
                ? components
                        .tunnel()
                        .read()
                        .map(DeviceState::listenPort)
                        .map(OptionalInt::of)
                        .orElse(OptionalInt.empty())
                : OptionalInt.empty();
        if (exists && (bound.isEmpty() || bound.getAsInt() == plan.tunnel().listenPort())) {
            return;
        }
        Set<Integer> inUse =
                new HashSet<>(UdpPorts.inUse(components.environment().root()));
        bound.ifPresent(inUse::remove);
        ExitNodeInputs free = ExitNodePlanner.withFreePort(inputs, inUse);
        if (free.skippedPortCount() != inputs.skippedPortCount()) {
            inputs = free;
            plan = ExitNodePlanner.plan(inputs);
            components.killSwitch().apply(plan);
        }
    }

    /** Redirects DNS queries to the port that the DNS stub could bind. */
    private void redirectDns() {
        int port = components.dns().port();
        if (port != inputs.dnsPort()) {
            log.warn("dns: port " + inputs.dnsPort() + " is in use by another program; listening on port " + port);
            inputs = inputs.with(it -> it.dnsPort = port);
            plan = ExitNodePlanner.plan(inputs);
            components.killSwitch().apply(plan);
        }
    }

    /** @return whether the planned kill switch has changed */
    private boolean replan(ExitNodeInputs now) {
        if (now.equals(inputs)) {
            return false;
        }
        ExitNodePlan before = plan;
        if (!now.machine().equals(inputs.machine())) {
            reportConflicts(now.machine());
        }
        inputs = now;
        plan = ExitNodePlanner.plan(inputs);
        components.dns().trackNames(plan);
        log.problems(plan.remarks().stream()
                .filter(remark -> !before.remarks().contains(remark))
                .toList());
        return !plan.ruleset().equals(before.ruleset())
                || !plan.killSwitchRouting().equals(before.killSwitchRouting());
    }

    /** Reports address conflicts between the tunnel and a network that was connected after the start. */
    private void reportConflicts(Machine machine) {
        List<Problem> conflicts = Requirements.addressConflicts(inputs.machine(), components.configuration());
        log.problems(Requirements.addressConflicts(machine, components.configuration()).stream()
                .filter(problem -> !conflicts.contains(problem))
                .toList());
    }

    @Override
    public boolean isUnsettled() {
        return deviceState.isEmpty() || !components.dns().isListening() || http.isUnsettled();
    }

    /** @return when to check again if no event comes before */
    private Instant checkTunnel() {
        Instant now = now();
        try {
            deviceState = components.tunnel().read();
        } catch (RuntimeException e) {
            deviceState = Optional.empty();
            reconciler.failed(e);
        }
        if (deviceState.isEmpty()) {
            return now.plus(Reconciler.RETRY);
        }
        Instant next = failover.judge(deviceState.get(), plan, now);
        clockWatch.update();
        followRoaming(ServerRoaming.findRoamed(deviceState.get(), plan.tunnel()));
        if (failover.repeatsHandshake(plan, now)) {
            components.tunnel().repeatHandshakes();
        }
        if (switching.keepsServer()) {
            return next;
        }
        failover.nextBurst(now).ifPresent(this::probe);
        recover(failover.nextStep(
                plan,
                components.dns().resolvedNames(),
                components.tunnel().implementation().equals(Implementation.USERSPACE.toString()),
                now));
        return next;
    }

    private void probe(ProbeBurst burst) {
        dataPathProbe.run(
                burst,
                plan.dns().servers(),
                Egress.marked(plan.identity().marks().stub())
                        .boundTo(plan.identity().link()),
                result -> components
                        .events()
                        .add(new ExitNodeEvent.DeferredUpdate(() -> failover.finished(result, now()))));
    }

    private void recover(RecoveryStep step) {
        if (step == RecoveryStep.NONE) {
            return;
        }
        reportClock(clockWatch.problem(failover.file()));
        // The server may have a new address.
        components.dns().checkNow();
        switch (step) {
            case NONE, RESET_PEER -> {}
            case NEXT_ADDRESS ->
                components.dns().useNextAddresses(failover.config().hostNames());
            case SWITCH_SERVER -> {
                roamedEndpoint = Optional.empty();
                serverChanges++;
            }
            case RECREATE_DEVICE -> {
                roamedEndpoint = Optional.empty();
                components.tunnel().remove();
            }
        }
        startSession();
    }

    /** Logs a wrong clock once, as the server's silence has no other explanation. */
    private void reportClock(Optional<String> problem) {
        if (problem.isPresent() && clockProblem.isEmpty()) {
            log.warn("tunnel: " + problem.get());
        }
        clockProblem = problem;
    }

    /**
     * Follows a server that has roamed. Packets to its new address pass as replies to what came from there, but only
     * until connection tracking has dropped that entry; so the kill switch admits the new address too.
     */
    private void followRoaming(Optional<InetSocketAddress> now) {
        if (!now.equals(roamedEndpoint)) {
            roamedEndpoint = now;
            now.ifPresent(at -> log.info("tunnel: the server responds from " + Endpoint.of(at)
                    + " instead of its Endpoint; sending to that address (authenticated by the server's key)"));
            reconciler.reconcile();
        }
    }

    private StatusReport statusReport() {
        checkTunnel();
        Map<String, List<String>> overrides = components.killSwitch().overrides(plan);
        return StatusReporter.report(
                (switching.isPaused() ? "that of " + failover.file().getFileName() : failover.describeServer(plan))
                        + roamedEndpoint
                                .map(at -> ", responding from " + Endpoint.of(at))
                                .orElse(""),
                components.tunnel().implementation(),
                deviceState,
                components.killSwitch().layers(plan, overrides),
                childEvents.states(),
                components.mesh().describe(),
                facts(),
                failover.connection(),
                error(),
                leakTesting.latest(),
                isBlocking() && components.killSwitch().isBlockedAfterLeak(),
                switching.isPaused(),
                new ConfigurationState(
                        failover.servers().stream()
                                .map(server -> String.valueOf(server.file().getFileName()))
                                .toList(),
                        reload.loaded(),
                        reload.errors().stream().map(Problem::toString).toList()),
                Stream.of(
                                leakTesting.sentence().stream(),
                                audit.violations().stream(),
                                KillSwitchLog.sentences(overrides).stream(),
                                new PrivilegedSiblings().find().stream())
                        .flatMap(sentences -> sentences)
                        .toList());
    }

    private ExitNodeFigures figures() {
        StatusReport status = statusReport();
        Map<String, DeviceState> devices = new HashMap<>(components.mesh().devices());
        deviceState.ifPresent(state -> devices.put(plan.identity().link(), state));
        PathQuality quality = failover.connection().quality();
        return new ExitNodeFigures(
                status,
                plan.identity().link(),
                devices,
                serverChanges,
                restorations,
                audit.violations().size(),
                quality.lossPercent(),
                quality.roundTrip());
    }

    /** Reads the machine. Where that fails, at least the kill switch of the plan in effect is restored. */
    private Machine readMachine() {
        try {
            return components.kernel().machine();
        } catch (RuntimeException e) {
            components.killSwitch().apply(plan);
            throw e;
        }
    }

    private Mesh mesh() {
        return components.mesh();
    }

    private Set<String> uplinks() {
        return inputs.machine().uplinks().values().stream().map(Uplink::link).collect(Collectors.toSet());
    }

    private Instant now() {
        return components.environment().monotonicClock().instant();
    }
}
