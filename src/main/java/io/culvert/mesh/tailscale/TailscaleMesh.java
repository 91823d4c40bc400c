package io.culvert.mesh.tailscale;

import io.culvert.ip.Family;
import io.culvert.mesh.Mesh;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.Tailnet;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
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

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** A control server with automatic approval has approved the exit node by then. */
    private static final Duration APPROVAL = Duration.ofSeconds(5);

    /** In the first state the peers are known, in the second the paths to them. */
    private static final Set<Notice.State> GREETING = EnumSet.of(Notice.State.STARTING, Notice.State.RUNNING);

    private final TailscaleSettings settings;
    private final TailscaleProgram program;
    private final LocalApi api;
    private final Supervisor supervisor;
    private final Executor chain;
    private final Consumer<Problem> journal;
    private final Consumer<String> news;
    private final ExecutorService asking = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("tailscale").daemon().factory());
    private final AtomicBoolean toSettle = new AtomicBoolean();
    private final Set<Problem> told = new HashSet<>();
    private final Set<Notice.State> greeted = EnumSet.noneOf(Notice.State.class);
    private final Story story;

    /** Kept while tailscaled is restarted, as it will be the same afterwards. */
    private Tailnet tailnet = Tailnet.UNKNOWN;

    private String latest = "";
    private Optional<Child> child = Optional.empty();
    private Optional<Listener> listener = Optional.empty();
    private volatile boolean offered;
    private volatile boolean offeredFromStart;
    private volatile boolean reset;

    /**
     * @param chain runs tasks on the event thread
     * @param journal receives warnings and notes for the user
     * @param news receives each change of the node's state, in the words of {@link #describe}
     */
    public TailscaleMesh(
            TailscaleProgram program,
            Supervisor supervisor,
            Executor chain,
            Consumer<Problem> journal,
            Consumer<String> news) {
        this.settings = program.settings();
        this.program = program;
        this.api = new LocalApi(settings.socket(), PATIENCE);
        this.supervisor = supervisor;
        this.chain = chain;
        this.journal = journal;
        this.news = news;
        this.story = new Story(settings);
    }

    @Override
    public void chain(ExitNodePlan plan) {
        start();
    }

    void start() {
        if (child.isEmpty()) {
            child = Optional.of(supervisor.start(this::next));
            story.begin(false);
        }
    }

    /**
     * Called by the supervisor on its own thread; records whether the program was started with the exit node
     * advertised.
     */
    private ChildSpec next() {
        offeredFromStart = offers();
        return program.next(offeredFromStart, reset);
    }

    @Override
    public void offerExit() {
        if (!offered) {
            offered = true;
            settle();
        }
    }

    private boolean offers() {
        return offered && settings.offersExit();
    }

    @Override
    public void heard(ChildEvent what) {
        if (!what.child().equals(TailscaleProgram.NAME)) {
            return;
        }
        switch (what) {
            case ChildEvent.Started _ -> {
                greeted.clear();
                story.begin(offeredFromStart);
            }
            case ChildEvent.Said said -> said(said.line());
            case ChildEvent.Ended ended -> {
                listener.ifPresent(Listener::close);
                story.end();
                latest = "";
                if (!ended.asked()) {
                    story.unexplained().ifPresent(this::complain);
                }
            }
            case ChildEvent.Restarting _, ChildEvent.NotStarted _ -> {}
        }
    }

    private void said(String line) {
        story.hear(line).map(story::login).ifPresent(this::complain);
        Complaint.in(line).map(Complaint::problem).ifPresent(this::complain);
        LostFlags.in(line, List.of(settings.upArguments().toString().split(" ")))
                .ifPresent(this::lost);
        // tailscaled logs once it listens, so each line is an occasion to connect, and no polling is needed.
        if (listener.filter(Listener::isOpen).isEmpty() && Files.exists(settings.socket())) {
            listener = Optional.of(Listener.start(api, chain, this::noticed));
        }
    }

    /**
     * Resets flags that are not given any more, but never moves the node to another control server because one was
     * omitted.
     */
    private void lost(List<String> flags) {
        if (LostFlags.needAnotherServer(flags)) {
            complain(Complaint.OTHER_SERVER.problem());
        } else if (!reset) {
            reset = true;
            tell(Problem.note(
                    Place.setting("TS_EXTRA_ARGS"),
                    "flags in the node's saved state that are not set any more are reset: " + String.join(" ", flags)));
        }
    }

    private void noticed(Notice notice) {
        notice.state().ifPresent(story::enter);
        notice.loginUrl().map(story::login).ifPresent(this::complain);
        notice.error().flatMap(Complaint::in).map(Complaint::problem).ifPresent(this::complain);
        notice.warnings().ifPresent(warnings -> {
            List<Problem> known = warnings.values().stream()
                    .flatMap(text -> Complaint.in(text).stream())
                    .map(Complaint::problem)
                    .toList();
            known.forEach(this::complain);
            if (warnings.isEmpty()) {
                story.recover();
            }
        });
        boolean runs = notice.state().equals(Optional.of(Notice.State.RUNNING));
        notice.state().filter(GREETING::contains).filter(greeted::add).ifPresent(_ -> greet());
        if (runs) {
            told.clear();
        }
        if (story.runs() && (runs || notice.changed())) {
            settle();
        }
    }

    /**
     * Starts sessions with peers, so that those with a session from before a restart reconnect at once, and so that
     * tailscaled connects to its relays at once and not after some seconds. The relays can be reached only once the
     * plan has their ports.
     */
    private void greet() {
        asking.execute(() -> {
            learnRelays();
            try {
                new Node(api).greetPeers();
            } catch (IOException _) {
                // They reconnect automatically some seconds later.
            }
        });
    }

    /** Brings the node's preferences to the wanted state; requests while one is queued are merged with it. */
    private void settle() {
        if (!story.runs() || toSettle.getAndSet(true)) {
            return;
        }
        asking.execute(() -> {
            toSettle.set(false);
            learnRelays();
            try {
                Node.Settled settled = new Node(api).settle(offers(), once());
                chain.execute(() -> settled(settled));
            } catch (IOException e) {
                chain.execute(() -> refused(e));
            }
        });
    }

    private void learnRelays() {
        try {
            Set<Integer> ports = api.relayPorts();
            chain.execute(() -> tailnet = new Tailnet(tailnet.addresses(), tailnet.reach(), tailnet.suffix(), ports));
        } catch (IOException | RuntimeException _) {
            // The known ports are kept, and queried again at the next change.
        }
    }

    private Optional<GoFlags> once() {
        return settings.loginOnce() ? Optional.of(settings.upArguments()) : Optional.empty();
    }

    private void settled(Node.Settled settled) {
        tailnet = settled.status().tailnet(settled.acceptsRoutes(), tailnet.relayPorts());
        settled.exitNode()
                .ifPresent(name -> news.accept(
                        "exit node " + name + " cleared: this node uses the tunnel, not another exit node"));
        if (settled.acceptsRoutes()) {
            settled.status()
                    .everything()
                    .ifPresent(family -> tell(Problem.warning(
                            Place.machine("tailscale"),
                            "peers advertise routes to most of the " + (family == Family.IPV4 ? "IPv4" : "IPv6")
                                    + " internet, so their routes are not used",
                            "remove these routes at the control server, or remove --accept-routes from"
                                    + " TS_EXTRA_ARGS")));
        }
        boolean first = story.learn(settled.status(), settled.offered());
        if (!latest.equals(story.toString())) {
            latest = story.toString();
            news.accept(latest);
        }
        if (!settled.set().isEmpty()) {
            tell(Problem.note(
                    Place.setting("TS_EXTRA_ARGS"),
                    "applied to the node, which is already logged in: " + String.join(" ", settled.set())));
        }
        settled.kept()
                .forEach(flag -> tell(Problem.warning(
                        Place.setting("TS_EXTRA_ARGS"),
                        flag + " needs a new login, which TS_AUTH_ONCE=true prevents",
                        "start once with TS_AUTH_ONCE=false and an auth key, or with an empty TS_STATE_DIR")));
        if (!settled.forwards()) {
            complain(Complaint.FORWARDING.problem());
        }
        story.otherName().ifPresent(this::tell);
        if (first) {
            CompletableFuture.delayedExecutor(APPROVAL.toMillis(), TimeUnit.MILLISECONDS, chain)
                    .execute(() -> story.unapproved().ifPresent(this::tell));
        }
    }

    private void refused(IOException reason) {
        if (story.runs()) { // Otherwise it has exited, which is reported elsewhere.
            tell(Problem.warning(
                    Place.machine("tailscale"),
                    "tailscaled refused its settings: " + reason.getMessage(),
                    settings.configured()
                            ? "remove \"Locked\" from the configuration file"
                            : "see its messages above"));
        }
    }

    private void complain(Problem problem) {
        story.complain(problem);
        tell(problem);
    }

    /** Reports a problem once, until the node runs again. */
    private void tell(Problem problem) {
        if (told.add(problem)) {
            journal.accept(problem);
        }
    }

    @Override
    public boolean explains(String child) {
        return child.equals(TailscaleProgram.NAME);
    }

    @Override
    public Tailnet tailnet() {
        return tailnet;
    }

    @Override
    public String describe() {
        return story.toString();
    }

    @Override
    public void unchain() {
        child.ifPresent(Child::stop);
        child = Optional.empty();
        listener.ifPresent(Listener::close);
        asking.shutdownNow();
        program.clearAway();
    }
}
