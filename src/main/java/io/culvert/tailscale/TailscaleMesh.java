// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.mesh.Mesh;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.Tailnet;
import io.culvert.process.Child;
import io.culvert.process.ChildEvent;
import io.culvert.process.ChildSpec;
import io.culvert.process.Supervisor;
import io.culvert.settings.GoFlags;
import io.culvert.settings.TailscaleSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * A node of a tailnet, of Tailscale or a Headscale server. Keeps Tailscale's programs running, advertises the exit node
 * as soon as the tunnel has had its first handshake, and reports their errors with explanations.
 *
 * <p>All methods are called on the event thread, and notifications of tailscaled are handled on it.
 */
public final class TailscaleMesh implements Mesh {

    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(5);

    /** A control server with automatic approval has approved the exit node by then. */
    private static final Duration APPROVAL_TIMEOUT = Duration.ofSeconds(5);

    /** In the first state the peers are known, in the second the paths to them. */
    private static final Set<IpnNotification.State> STATES_TO_PING_IN =
            EnumSet.of(IpnNotification.State.STARTING, IpnNotification.State.RUNNING);

    private final TailscaleSettings settings;
    private final TailscaleProgram program;
    private final LocalApi api;
    private final Supervisor supervisor;
    private final Executor eventThread;
    private final Consumer<Problem> problems;
    private final Log log;
    private final ExecutorService requests = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("tailscale").daemon().factory());
    private final AtomicBoolean reconcilePending = new AtomicBoolean();
    private final Set<Problem> reported = new HashSet<>();
    private final Set<IpnNotification.State> pingedIn = EnumSet.noneOf(IpnNotification.State.class);
    private final TailscaleNodeState nodeState;

    /** Kept while tailscaled is restarted, as it will be the same afterwards. */
    private Tailnet tailnet = Tailnet.UNKNOWN;

    private String lastLogged = "";
    private volatile Optional<Child> child = Optional.empty();
    private volatile Optional<IpnBusListener> listener = Optional.empty();
    private volatile boolean exitNodeOffered;
    private volatile boolean offeredAtStart;
    private volatile boolean resetFlags;

    /**
     * @param eventThread runs tasks on the event thread
     * @param problems receives warnings and notes for the user
     * @param log for each change of the node's state, as described by {@link #describe}
     */
    public TailscaleMesh(
            TailscaleProgram program,
            Supervisor supervisor,
            Executor eventThread,
            Consumer<Problem> problems,
            Log log) {
        this.settings = program.settings();
        this.program = program;
        this.api = new LocalApi(settings.socket(), REQUEST_TIMEOUT);
        this.supervisor = supervisor;
        this.eventThread = eventThread;
        this.problems = problems;
        this.log = log;
        this.nodeState = new TailscaleNodeState(settings);
    }

    @Override
    public void attach(ExitNodePlan plan) {
        start();
    }

    void start() {
        if (child.isEmpty()) {
            child = Optional.of(supervisor.start(this::nextStart));
            nodeState.handleStart(false);
        }
    }

    /**
     * Called by the supervisor on its own thread; records whether the program was started with the exit node
     * advertised.
     */
    private ChildSpec nextStart() {
        offeredAtStart = shouldOfferExitNode();
        return program.nextStart(offeredAtStart, resetFlags);
    }

    @Override
    public void offerExit() {
        if (!exitNodeOffered) {
            exitNodeOffered = true;
            reconcile();
        }
    }

    @Override
    public void withdrawExit() {
        if (exitNodeOffered) {
            exitNodeOffered = false;
            reconcile();
        }
    }

    /** Only a tailscaled that has listened before is checked, as a start takes long on some machines. */
    @Override
    public void checkResponds(Duration timeout) throws IOException {
        if (listener.filter(IpnBusListener::isOpen).isPresent()) {
            try {
                new LocalApi(settings.socket(), timeout).preferences();
            } catch (IOException e) {
                // One that has exited is restarted by its supervisor.
                if (listener.filter(IpnBusListener::isOpen).isPresent()) {
                    throw new IOException("no response of tailscaled within " + timeout.toSeconds() + " s", e);
                }
            }
        }
    }

    @Override
    public void killUnresponsive() {
        child.ifPresent(Child::kill);
    }

    private boolean shouldOfferExitNode() {
        return exitNodeOffered && settings.advertisesExitNode();
    }

    @Override
    public void handle(ChildEvent event) {
        if (!event.child().equals(TailscaleProgram.NAME)) {
            return;
        }
        switch (event) {
            case ChildEvent.Started _ -> {
                pingedIn.clear();
                nodeState.handleStart(offeredAtStart);
            }
            case ChildEvent.OutputLine line -> handleOutput(line.line());
            case ChildEvent.Exited ended -> {
                listener.ifPresent(IpnBusListener::close);
                nodeState.handleExit();
                lastLogged = "";
                if (!ended.requested()) {
                    nodeState.unknownExitReason().ifPresent(this::reportError);
                }
            }
            case ChildEvent.Restarting _, ChildEvent.RestartFailed _ -> {}
        }
    }

    private void handleOutput(String line) {
        nodeState.handleOutput(line).map(nodeState::setLoginUrl).ifPresent(this::reportError);
        KnownError.findIn(line).map(KnownError::problem).ifPresent(this::reportError);
        MissingFlags.findIn(line, List.of(settings.upArguments().toString().split(" ")))
                .ifPresent(this::handleMissingFlags);
        // tailscaled logs once it listens, so each line is an occasion to connect, and no polling is needed.
        if (listener.filter(IpnBusListener::isOpen).isEmpty() && Files.exists(settings.socket())) {
            listener = Optional.of(IpnBusListener.start(api, eventThread, this::handleNotification));
        }
    }

    /**
     * Resets flags that are not given any more, but never moves the node to another control server because one was
     * omitted.
     */
    private void handleMissingFlags(List<String> flags) {
        if (MissingFlags.changesServer(flags)) {
            reportError(KnownError.OTHER_SERVER.problem());
        } else if (!resetFlags) {
            resetFlags = true;
            reportOnce(Problem.note(
                    Location.setting("TS_EXTRA_ARGS"),
                    "flags in the node's saved state that are not set any more are reset: " + String.join(" ", flags)));
        }
    }

    private void handleNotification(IpnNotification notification) {
        notification.state().ifPresent(nodeState::setState);
        notification.loginUrl().map(nodeState::setLoginUrl).ifPresent(this::reportError);
        notification
                .error()
                .flatMap(KnownError::findIn)
                .map(KnownError::problem)
                .ifPresent(this::reportError);
        notification.warnings().ifPresent(warnings -> {
            List<Problem> knownErrors = warnings.values().stream()
                    .flatMap(text -> KnownError.findIn(text).stream())
                    .map(KnownError::problem)
                    .toList();
            knownErrors.forEach(this::reportError);
            if (warnings.isEmpty()) {
                nodeState.clearKnownError();
            }
        });
        boolean running = notification.state().equals(Optional.of(IpnNotification.State.RUNNING));
        notification
                .state()
                .filter(STATES_TO_PING_IN::contains)
                .filter(pingedIn::add)
                .ifPresent(_ -> pingPeers());
        if (running) {
            reported.clear();
        }
        if (nodeState.isRunning() && (running || notification.changed())) {
            reconcile();
        }
    }

    /**
     * Starts sessions with peers, so that those with a session from before a restart reconnect at once, and so that
     * tailscaled connects to its relays at once and not after some seconds. The relays can be reached only once the
     * plan has their ports.
     */
    private void pingPeers() {
        requests.execute(() -> {
            updateRelayPorts();
            try {
                new TailscaleNode(api).pingPeers();
            } catch (IOException _) {
                // They reconnect automatically some seconds later.
            }
        });
    }

    /** Brings the node's preferences to the desired state; requests while one is queued are merged with it. */
    private void reconcile() {
        if (!nodeState.isRunning() || reconcilePending.getAndSet(true)) {
            return;
        }
        requests.execute(() -> {
            reconcilePending.set(false);
            updateRelayPorts();
            try {
                TailscaleNode.Applied result =
                        new TailscaleNode(api).applyPreferences(shouldOfferExitNode(), firstLoginArguments());
                eventThread.execute(() -> handleApplied(result));
            } catch (IOException e) {
                eventThread.execute(() -> handleRefusal(e));
            }
        });
    }

    private void updateRelayPorts() {
        try {
            Set<Integer> ports = api.relayPorts();
            eventThread.execute(
                    () -> tailnet = new Tailnet(tailnet.addresses(), tailnet.reach(), tailnet.suffix(), ports));
        } catch (IOException | RuntimeException _) {
            // The known ports are kept, and queried again at the next change.
        }
    }

    private Optional<GoFlags> firstLoginArguments() {
        return settings.loginOnce() ? Optional.of(settings.upArguments()) : Optional.empty();
    }

    private void handleApplied(TailscaleNode.Applied result) {
        tailnet = result.status().tailnet(result.acceptsRoutes(), tailnet.relayPorts());
        result.exitNode()
                .ifPresent(name ->
                        log.info("exit node " + name + " cleared: this node uses the tunnel, not another exit node"));
        if (result.acceptsRoutes()) {
            result.status()
                    .familyCoveredByRoutes()
                    .ifPresent(family -> reportOnce(Problem.warning(
                            Location.machine("tailscale"),
                            "peers advertise routes to most of the " + family.text()
                                    + " internet, so their routes are not used",
                            "remove these routes at the control server, or remove --accept-routes from"
                                    + " TS_EXTRA_ARGS")));
        }
        boolean newlyOffered = nodeState.setStatus(result.status(), result.offered());
        if (!lastLogged.equals(nodeState.toString())) {
            lastLogged = nodeState.toString();
            log.info(lastLogged);
        }
        if (!result.applied().isEmpty()) {
            reportOnce(Problem.note(
                    Location.setting("TS_EXTRA_ARGS"),
                    "applied to the node, which is already logged in: " + String.join(" ", result.applied())));
        }
        result.needingLogin()
                .forEach(flag -> reportOnce(Problem.warning(
                        Location.setting("TS_EXTRA_ARGS"),
                        flag + " needs a new login, which TS_AUTH_ONCE=true prevents",
                        "start once with TS_AUTH_ONCE=false and an auth key, or with an empty TS_STATE_DIR")));
        if (!result.forwards()) {
            reportError(KnownError.FORWARDING.problem());
        }
        nodeState.changedName().ifPresent(this::reportOnce);
        if (newlyOffered) {
            CompletableFuture.delayedExecutor(APPROVAL_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS, eventThread)
                    .execute(() -> nodeState.missingApproval().ifPresent(this::reportOnce));
        }
    }

    private void handleRefusal(IOException reason) {
        if (nodeState.isRunning()) { // Otherwise it has exited, which is reported elsewhere.
            reportOnce(Problem.warning(
                    Location.machine("tailscale"),
                    "tailscaled refused its settings: " + reason.getMessage(),
                    settings.configured()
                            ? "remove \"Locked\" from the configuration file"
                            : "see its messages above"));
        }
    }

    private void reportError(Problem problem) {
        nodeState.setKnownError(problem);
        reportOnce(problem);
    }

    /** Reports a problem once, until the node runs again. */
    private void reportOnce(Problem problem) {
        if (reported.add(problem)) {
            problems.accept(problem);
        }
    }

    @Override
    public boolean reportsItself(String child) {
        return child.equals(TailscaleProgram.NAME);
    }

    @Override
    public Tailnet tailnet() {
        return tailnet;
    }

    @Override
    public String describe() {
        return nodeState.toString();
    }

    @Override
    public void detach() {
        child.ifPresent(Child::stop);
        child = Optional.empty();
        listener.ifPresent(IpnBusListener::close);
        requests.shutdownNow();
        program.removeLeftovers();
    }
}
