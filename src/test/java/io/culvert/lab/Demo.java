package io.culvert.lab;

import io.culvert.ip.Family;
import java.io.Console;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;

/**
 * Tells in a minute what the program is for, in facts that are measured while one watches. Ends with status 1 when one of
 * them is not as it should be.
 */
public final class Demo {

    private static final Duration START = Duration.ofSeconds(20);
    private static final Duration RETURN = Duration.ofSeconds(60);
    private static final int SOCKS = 1080;

    private final Lab lab;
    private final Story story;
    private final Guests guests;
    private final Observer observer;
    private final Probe client;
    private final Probe neighbour;
    private final Probe node;

    private Demo(Lab lab, Story story, Guests guests) {
        this.lab = lab;
        this.story = story;
        this.guests = guests;
        this.observer = lab.observe();
        this.client = Probe.from(lab.client().space());
        this.neighbour = Probe.from(lab.neighbour());
        this.node = Probe.from(lab.node().space());
    }

    public static void main(String[] arguments) {
        Story story = new Story(
                System.out,
                System.getenv("NO_COLOR") == null
                        && Optional.ofNullable(System.console())
                                .filter(Console::isTerminal)
                                .isPresent());
        String mesh = Optional.ofNullable(System.getenv("MESH")).orElse("");
        story.chapter("A lab of network namespaces, on this machine's own kernel");
        story.progress("building it");
        try (Lab lab = Lab.open()) {
            story.fact("client, exit node, router, provider and internet stand ready", true, true);
            new Demo(lab, story, guests(mesh, lab)).tell();
        } catch (AssertionError | RuntimeException e) {
            story.broken(String.valueOf(e.getMessage()));
        }
        System.exit(story.end());
    }

    /** @param mesh the variable {@code MESH} */
    private static Guests guests(String mesh, Lab lab) {
        return switch (mesh) {
            case "", "wireguard" -> new WireGuardGuests(lab);
            case "tailscale" -> new TailscaleGuests(lab);
            default -> throw new IllegalArgumentException("MESH is " + mesh + ": set wireguard or tailscale");
        };
    }

    private void tell() {
        before();
        String mesh = guests.allowed(observer);
        try (Child culvert = start()) {
            throughTheTunnel();
            String server = lab.provider().outer4();
            observed("nothing else has left the node than " + mesh + " own packets and WireGuard to " + server);
            whenTheProviderDies(mesh);
            whenItReturns(culvert);
            stop(culvert);
            story.evidence("What culvert said", culvert.output());
        }
    }

    private void before() {
        story.chapter("Without an exit node");
        story.fact(
                "a web server sees the client as itself, IPv4", Optional.of(Lab.CLIENT_4), client.whoami(Family.IPV4));
        story.fact("and IPv6", Optional.of(Lab.CLIENT_6), client.whoami(Family.IPV6));
        story.fact(
                "the observer on the node's uplink sees what the node sends in clear",
                true,
                observer.sees(() -> node.whoami(Family.IPV4)));
    }

    private Child start() {
        story.chapter("culvert up, " + guests.title() + " and a SOCKS proxy");
        Node box = lab.node().wireGuardFile("provider.conf", lab.provider().file());
        observer.allowWireGuardTo(lab.provider().outer4(), Provider.PORT).allowService(SOCKS);
        Map<String, String> settings = new HashMap<>(guests.settings());
        settings.put("CULVERT_SOCKS", "true");
        story.progress("starting");
        long begin = System.nanoTime();
        Child culvert = box.start(settings, "up");
        culvert.awaitLine(Node.READY, START);
        Duration took = Duration.ofNanos(System.nanoTime() - begin);
        story.fact("ready in " + took.toMillis() + " ms", true, culvert.isAlive());
        return culvert;
    }

    private void throughTheTunnel() {
        String provider4 = lab.provider().outer4();
        String provider6 = lab.provider().outer6();
        story.chapter("The client uses the node as its exit");
        story.progress("waiting for the node to offer itself");
        guests.exit();
        story.fact("the web server sees the provider, IPv4", Optional.of(provider4), client.whoami(Family.IPV4));
        story.fact("and IPv6", Optional.of(provider6), client.whoami(Family.IPV6));
        story.fact("and by UDP", Optional.of(provider4), client.echo(Family.IPV4));
        String proxy = guests.proxy();
        story.chapter("A neighbour of the node uses its SOCKS proxy");
        story.fact(
                "the web server sees the provider, IPv4",
                Optional.of(provider4),
                neighbour.whoamiBySocks(proxy, SOCKS, Family.IPV4));
        story.fact("and IPv6", Optional.of(provider6), neighbour.whoamiBySocks(proxy, SOCKS, Family.IPV6));
        story.chapter("Names");
        story.fact(
                "the client's question is answered",
                List.of(Lab.SERVER_6),
                client.resolve(guests.resolver(), "client.example", Family.IPV6));
        story.fact(
                "a question of the node's own programs is answered",
                Lab.SERVER_4 + "\n",
                lab.node().attempt("dig", "+short", "+time=3", "node.example").out());
        story.fact(
                "the resolver was asked by",
                List.of(provider4),
                lab.internet().questions().stream()
                        .filter(question ->
                                List.of("client.example.", "node.example.").contains(question.name()))
                        .map(DnsQuestion::asker)
                        .distinct()
                        .toList());
    }

    private void whenTheProviderDies(String mesh) {
        story.chapter("The provider dies");
        lab.provider().die();
        observer.forget();
        story.progress("everybody tries to get out");
        String proxy = guests.proxy();
        List<String> answers = Demo.<Optional<String>>together(List.of(
                        () -> client.whoami(Family.IPV4),
                        () -> client.whoami(Family.IPV6),
                        () -> client.echo(Family.IPV4),
                        () -> client.echo(Family.IPV6),
                        () -> node.whoami(Family.IPV4),
                        () -> node.whoami(Family.IPV6),
                        () -> node.echo(Family.IPV4),
                        () -> node.echo(Family.IPV6),
                        () -> neighbour.whoamiBySocks(proxy, SOCKS, Family.IPV4),
                        () -> neighbour.whoamiBySocks(proxy, SOCKS, Family.IPV6)))
                .stream()
                .flatMap(Optional::stream)
                .toList();
        story.fact("no server answers anybody", List.of(), answers);
        observed("nothing leaves the node but " + mesh + " own packets and WireGuard");
        story.fact(
                "the observer is not blind: it sees a frame sent below the guard",
                true,
                observer.sees(lab.node()::sendFramePastAnyGuard));
    }

    private void whenItReturns(Child culvert) {
        String provider4 = lab.provider().outer4();
        story.chapter("The provider returns");
        lab.provider().live();
        story.progress("waiting for the tunnel, without touching anything");
        long begin = System.nanoTime();
        Optional<String> seen = Optional.empty();
        // Each question waits for its answer for a while.
        while (seen.isEmpty() && System.nanoTime() - begin < RETURN.toNanos()) {
            seen = client.echo(Family.IPV4);
        }
        Duration took = Duration.ofNanos(System.nanoTime() - begin);
        story.fact("traffic flows again after " + took.toSeconds() + " s, IPv4", Optional.of(provider4), seen);
        story.fact("and IPv6", Optional.of(lab.provider().outer6()), client.whoami(Family.IPV6));
        story.fact("by the same process, never restarted", true, culvert.isAlive());
        observed("and still nothing else has left");
    }

    private void stop(Child culvert) {
        story.chapter("SIGTERM");
        culvert.signal("TERM");
        story.fact("it tidies up and exits with status", 0, culvert.awaitExit(START));
    }

    private void observed(String what) {
        long wireGuard = observer.count("WireGuard to " + lab.provider().outer4());
        story.fact(what + " (" + wireGuard + " of them); leaks", Map.of(), observer.leaks());
    }

    /** Asks everything at the same time. */
    private static <T> List<T> together(List<Callable<T>> questions) {
        List<FutureTask<T>> tasks = questions.stream().map(FutureTask::new).toList();
        tasks.forEach(task -> Thread.ofPlatform().daemon().start(task));
        List<T> answers = new ArrayList<>();
        for (FutureTask<T> task : tasks) {
            try {
                answers.add(task.get());
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
        return answers;
    }
}
