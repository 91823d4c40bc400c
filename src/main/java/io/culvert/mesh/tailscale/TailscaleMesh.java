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
 * A node of a tailnet, Tailscale's or a Headscale's. Its programs are kept running, offer the exit as soon as the tunnel has
 * had its first handshake, and are explained to the user.
 *
 * <p>All methods are called on the chain's one thread, and what is learned of tailscaled comes back there.
 */
public final class TailscaleMesh implements Mesh {

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** A control server that approves by rule has done so by then. */
    private static final Duration APPROVAL = Duration.ofSeconds(5);

    /** In the first the peers are known, in the second all ways to them. */
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

    /** Kept while tailscaled is away: it will be the same again. */
    private Tailnet tailnet = Tailnet.UNKNOWN;

    private String latest = "";
    private Optional<Child> child = Optional.empty();
    private Optional<Listener> listener = Optional.empty();
    private volatile boolean offered;
    private volatile boolean offeredFromStart;
    private volatile boolean reset;

    /**
     * @param chain runs what it is given on the chain's thread
     * @param journal is told what the user should know
     * @param news is told what becomes of the node, in the words of {@link #describe}
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

    /** Called by the supervisor, on a thread of its own: what it was given then counts, not what is true by now. */
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
        // A line is a sign of life, and once tailscaled answers there are some: no need to ask at intervals.
        if (listener.filter(Listener::isOpen).isEmpty() && Files.exists(settings.socket())) {
            listener = Optional.of(Listener.start(api, chain, this::noticed));
        }
    }

    /** Only what is given now is meant to hold; but nobody leaves for another control server by leaving out a word. */
    private void lost(List<String> flags) {
        if (LostFlags.needAnotherServer(flags)) {
            complain(Complaint.OTHER_SERVER.problem());
        } else if (!reset) {
            reset = true;
            tell(Problem.note(
                    Place.setting("TS_EXTRA_ARGS"),
                    "no longer has what the node remembers, which is dropped: " + String.join(" ", flags)));
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
     * Peers that had sessions with an earlier life of this node find this one at once. And a session is what tailscaled
     * starts for: without one it waits some seconds for its relays first. And these it reaches only when the plan knows their
     * ports.
     */
    private void greet() {
        asking.execute(() -> {
            learnRelays();
            try {
                new Node(api).greetPeers();
            } catch (IOException _) {
                // They find it by themselves, some seconds later.
            }
        });
    }

    /** Brings the node to where it should be; what is asked for while it waits is done with it. */
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
            // The ports that are known stay; it is asked again when anything changes.
        }
    }

    private Optional<GoFlags> once() {
        return settings.loginOnce() ? Optional.of(settings.upArguments()) : Optional.empty();
    }

    private void settled(Node.Settled settled) {
        tailnet = settled.status().tailnet(settled.acceptsRoutes(), tailnet.relayPorts());
        settled.exitNode()
                .ifPresent(name -> news.accept(
                        "exit node " + name + " cleared: what leaves here leaves by the tunnel, by no other node"));
        if (settled.acceptsRoutes()) {
            settled.status()
                    .everything()
                    .ifPresent(family -> tell(Problem.warning(
                            Place.machine("tailscale"),
                            "peers announce routes to most of the " + (family == Family.IPV4 ? "IPv4" : "IPv6")
                                    + " internet, so none of their routes is used",
                            "remove such routes at the control server, or --accept-routes here")));
        }
        boolean first = story.learn(settled.status(), settled.offered());
        if (!latest.equals(story.toString())) {
            latest = story.toString();
            news.accept(latest);
        }
        if (!settled.set().isEmpty()) {
            tell(Problem.note(
                    Place.setting("TS_EXTRA_ARGS"),
                    "set on a node that was logged in before: " + String.join(" ", settled.set())));
        }
        settled.kept()
                .forEach(flag -> tell(Problem.warning(
                        Place.setting("TS_EXTRA_ARGS"),
                        flag + " needs another login, which TS_AUTH_ONCE=true leaves out",
                        "start once with TS_AUTH_ONCE=false and a key, or with an empty TS_STATE_DIR")));
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
        if (story.runs()) { // Else it has ended meanwhile, and is told otherwise.
            tell(Problem.warning(
                    Place.machine("tailscale"),
                    "tailscaled did not take its settings: " + reason.getMessage(),
                    settings.configured() ? "leave \"Locked\" out of the configuration file" : "see its lines above"));
        }
    }

    private void complain(Problem problem) {
        story.complain(problem);
        tell(problem);
    }

    /** Once, until the node runs again. */
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
