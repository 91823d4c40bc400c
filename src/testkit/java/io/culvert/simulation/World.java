// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.ProblemException;
import io.culvert.exitnode.ExitNodeApplication;
import io.culvert.linux.Errno;
import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkSockets;
import io.culvert.nft.KernelRuleset;
import io.culvert.nft.RulesetReader;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingStateReader;
import io.culvert.runtime.Environment;
import io.culvert.runtime.OperatingSystem;
import io.culvert.status.ControlRequest;
import io.culvert.timing.MonotonicClock;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.nio.channels.Channel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An exit node, and everything around it, in simulated time: kernel, uplinks, servers, other programs and the clock. The seed
 * decides all of it.
 *
 * <p>Between any two operations of the exit node on the kernel, the {@link Witnesses} must be blocked. Where nothing has been
 * wrong for {@link #HEALTHY} the exit node must be healthy.
 */
final class World implements SimulatedKernel.Observer, AutoCloseable {

    /** How long everything has to be all right until the exit node has to be connected. */
    static final Duration HEALTHY = Duration.ofSeconds(60);

    /** How long the exit node may be without a connection when it returns to the preferred server. */
    private static final Duration SWITCH = Duration.ofSeconds(10);

    /** How long other programs' damage to the kill switch may last. */
    private static final Duration REPAIR = Duration.ofSeconds(10);

    private static final int MAX_REFUSALS = 20;

    /** A trouble: a start is refused for as long as it lasts. */
    static final String BROKEN_FILE = "broken file";

    private static final Duration TICK = Duration.ofSeconds(5);
    private static final Set<String> INNER = Set.of("wg0", "mesh0");

    /** What may leave, by the state of the kernel. */
    private static final Map<Long, Witnesses.Leaving> JUDGED = new ConcurrentHashMap<>();

    private static final Map<Long, Boolean> REACHED = new ConcurrentHashMap<>();

    /** Returns how many states of the kernel have been judged, in all simulations. */
    static int judgedStates() {
        return JUDGED.size();
    }

    enum Behaviour {
        ALIVE,
        DEAD,
        HANDSHAKE_ONLY
    }

    /** A server. */
    static final class Server {
        final String address;
        final SecretKey key;
        final byte[] publicKey;
        Behaviour behaviour = Behaviour.ALIVE;

        Server(String address, int number) {
            this.address = address;
            byte[] bytes = new byte[32];
            Arrays.fill(bytes, (byte) (number + 1));
            bytes[0] = (byte) 0x40;
            bytes[31] = (byte) 0x40;
            this.key = new SecretKey(bytes);
            this.publicKey = KeyGenerator.publicOf(key).bytes();
        }
    }

    final Random random;
    final SimulatedThreads threads;
    final SimulatedClock clock;
    final SimulatedFiles files;
    final SimulatedKernel kernel;

    /** Those of the exit node. */
    NetlinkSockets sockets;

    final List<Server> servers = new ArrayList<>();
    final boolean ipv6;
    final boolean container;
    final boolean mesh;
    final boolean proxy;
    private final List<SimulatedProcess> processes = new ArrayList<>();
    private final List<StubChannel> stubChannels = new ArrayList<>();
    private final Map<String, String> variables = new HashMap<>();
    private final StringBuilder trace = new StringBuilder();
    private final StringWriter logText = new StringWriter();
    private Optional<ExitNodeApplication> application = Optional.empty();
    private boolean isGuarded;
    private boolean isStopping;
    private boolean tickSoon;
    private long pids = 100;
    private int refusals;

    /** What is wrong now, by name; nothing is repaired before it is removed. */
    final Map<String, Long> troubles = new LinkedHashMap<>();

    private long allRightSince;
    private long lastHealthy;
    private Optional<Long> openSince = Optional.empty();
    int failingRequests;
    int failingErrno = Errno.EBUSY;
    int killAfter = -1;
    long operations;
    private long checkedHash;
    private Witnesses.Leaving leaving = new Witnesses.Leaving(List.of(), List.of());
    String uplink = "eth0";
    private int traceHash;

    World(long seed) {
        this(seed, 2);
    }

    /** @param firstIndex of the uplink */
    World(long seed, int firstIndex) {
        this.random = new Random(seed);
        this.threads = new SimulatedThreads(new Random(random.nextLong()));
        this.clock = new SimulatedClock(threads);
        this.ipv6 = random.nextInt(4) != 0;
        this.container = random.nextInt(3) != 0;
        this.mesh = random.nextInt(2) == 0;
        this.proxy = random.nextInt(3) == 0;
        this.files = new SimulatedFiles();
        this.kernel = new SimulatedKernel(threads, files, this);
        this.sockets = kernel;
        kernel.network.nextIndex(firstIndex);
        kernel.onKeepalive = this::tickSoon;
        addUplink(uplink, 10, 0);
        int count = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            servers.add(new Server("203.0.113." + (11 + i), i));
        }
        writeSettings();
        note("seed " + seed + ": " + (container ? "container" : "machine") + ", " + count + " servers"
                + (ipv6 ? ", IPv6" : "") + (mesh ? ", mesh" : "") + (proxy ? ", proxy" : ""));
    }

    private void writeSettings() {
        for (int i = 0; i < servers.size(); i++) {
            files.writePrivate(serverFile(i), serverText(i));
        }
        variables.put("CULVERT_WIREGUARD_CONFIG", "/etc/wireguard/servers");
        variables.put("CULVERT_LEAK_TEST", "false");
        // Probes need sockets, and the counters of the device to be read all the time.
        variables.put("CULVERT_PROBE", "false");
        variables.put("CULVERT_CONTAINER", String.valueOf(container));
        variables.put("CULVERT_WIREGUARD_IMPLEMENTATION", "kernel");
        if (mesh) {
            byte[] peer = new Server("198.51.100.7", 20).publicKey;
            files.writePrivate(
                    "etc/wireguard/mesh0.conf",
                    "[Interface]\nPrivateKey = " + base64((byte) 8) + "\nAddress = 10.77.0.1/24\nListenPort = 51900\n\n"
                            + "[Peer]\nPublicKey = "
                            + Base64.getEncoder().encodeToString(peer)
                            + "\nAllowedIPs = 10.77.0.2/32\n");
            variables.put("CULVERT_MESH", "wireguard");
            variables.put("CULVERT_MESH_CONFIG", "/etc/wireguard/mesh0.conf");
        } else {
            variables.put("CULVERT_MESH", "none");
        }
        variables.put("CULVERT_SOCKS", String.valueOf(proxy));
    }

    private String serverText(int number) {
        Server server = servers.get(number);
        return "[Interface]\nPrivateKey = " + base64((byte) 9) + "\nAddress = 10.64.0.2/32"
                + (ipv6 ? ", fd00:64::2/128" : "") + "\nDNS = 10.64.0.1\n\n[Peer]\nPublicKey = "
                + Base64.getEncoder().encodeToString(server.publicKey)
                + "\nAllowedIPs = 0.0.0.0/0" + (ipv6 ? ", ::/0" : "") + "\nEndpoint = " + server.address
                + ":51820\n";
    }

    private static String base64(byte value) {
        byte[] key = new byte[32];
        Arrays.fill(key, value);
        key[0] = (byte) 0x40;
        key[31] = (byte) 0x40;
        return Base64.getEncoder().encodeToString(key);
    }

    // Uplinks

    /** Adds an uplink with the last byte of its addresses and the metric of its default routes. */
    void addUplink(String name, int host, long metric) {
        SimulatedNetwork network = kernel.network;
        SimulatedNetwork.Link link = network.create(name, "veth", 1500);
        network.setUp(link, true);
        configureUplink(link, host, metric);
    }

    void configureUplink(SimulatedNetwork.Link link, int host, long metric) {
        SimulatedNetwork network = kernel.network;
        byte third = (byte) (metric == 0 ? 2 : 3);
        network.addAddress(new SimulatedNetwork.Address(
                SimulatedNetwork.IPV4, link.index, new byte[] {(byte) 192, 0, third, (byte) host}, 24, 0, 0x80, 0, 0));
        addDefaultRoutes(link, metric);
        if (ipv6) {
            network.addAddress(new SimulatedNetwork.Address(
                    SimulatedNetwork.IPV6, link.index, ipv6Address(host, third), 64, 0, 0x80, 0, 0));
        }
    }

    void addDefaultRoutes(SimulatedNetwork.Link link, long metric) {
        byte third = (byte) (metric == 0 ? 2 : 3);
        kernel.network.add(new SimulatedNetwork.Route(
                SimulatedNetwork.IPV4,
                SimulatedNetwork.MAIN,
                1,
                3,
                0,
                new byte[4],
                0,
                metric,
                link.index,
                new byte[] {(byte) 192, 0, third, 1},
                SimulatedNetwork.NONE,
                0,
                false));
        if (ipv6) {
            addDefaultIpv6Route(link, metric);
        }
    }

    void addDefaultIpv6Route(SimulatedNetwork.Link link, long metric) {
        byte third = (byte) (metric == 0 ? 2 : 3);
        kernel.network.add(new SimulatedNetwork.Route(
                SimulatedNetwork.IPV6,
                SimulatedNetwork.MAIN,
                1,
                3,
                0,
                new byte[16],
                0,
                1024 + metric,
                link.index,
                ipv6Address(1, third),
                SimulatedNetwork.NONE,
                0,
                false));
    }

    static byte[] ipv6Address(int host, int network) {
        byte[] address = new byte[16];
        address[0] = 0x20;
        address[1] = 1;
        address[2] = 0x0d;
        address[3] = (byte) 0xb8;
        address[5] = (byte) network;
        address[15] = (byte) host;
        return address;
    }

    // The program

    void start() {
        OperatingSystem system = new OperatingSystem(
                threads,
                sockets,
                (_, _) -> startProcess(),
                this::openStubSockets,
                (name, _, timeout) -> probe(name, timeout),
                () -> new Random(random.nextLong()),
                Optional::empty);
        Environment environment = new Environment(
                variables,
                files.root(),
                clock,
                new MonotonicClock(threads::nanoTime, clock.instant()),
                new Log(new PrintWriter(logText, true)),
                system);
        ExitNodeApplication started = new ExitNodeApplication(environment, new RememberedAudits());
        application = Optional.of(started);
        isStopping = false;
        trouble("starting");
        threads.start("main", () -> {
            boolean refused = false;
            try {
                started.runWithoutSignals();
            } catch (ProblemException e) {
                refused = true;
                note("refused: " + e.problems());
            } catch (NetlinkException e) {
                // Refused more often than it is repeated: the start ends, and the container engine tries it again.
                refused = true;
                note("refused: " + e.getMessage());
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            } catch (RuntimeException e) {
                StringWriter stack = new StringWriter();
                e.printStackTrace(new PrintWriter(stack));
                fail("ended with " + stack);
            }
            ended(refused);
        });
        repaired("starting");
    }

    private void ended(boolean refused) {
        application = Optional.empty();
        if (refused || !isStopping) {
            if (refused && !troubles.containsKey(BROKEN_FILE) && ++refusals > MAX_REFUSALS) {
                fail("refuses to start");
            }
            trouble("not running");
            threads.schedule(Duration.ofSeconds(5), () -> {
                start();
                repaired("not running");
            });
        }
    }

    void requestStop() {
        note("stop requested");
        isStopping = true;
        application.ifPresent(it -> it.requestStop("SIGTERM"));
    }

    boolean isRunning() {
        return application.isPresent();
    }

    /** Ends the program without any cleanup, and starts it again later. */
    void kill(Duration restartIn) {
        note("SIGKILL");
        trouble("killed");
        application = Optional.empty();
        kernel.killSockets();
        stubChannels.clear();
        threads.schedule(restartIn, () -> {
            processes.forEach(process -> process.end(137));
            processes.clear();
            start();
            repaired("killed");
        });
        threads.killProgram();
    }

    private Process startProcess() {
        SimulatedProcess process = new SimulatedProcess(threads, pids++, "Dante/server[1/1] v1.4.2 running\n");
        processes.add(process);
        return process;
    }

    List<SimulatedProcess> processes() {
        return processes.stream().filter(Process::isAlive).toList();
    }

    /** The sockets of the DNS stub of one address. */
    private static final class StubChannel implements Channel {
        private boolean open = true;
        private boolean hangs;

        @Override
        public boolean isOpen() {
            return open;
        }

        @Override
        public void close() {
            open = false;
        }
    }

    private InetSocketAddress openStubSockets(InetSocketAddress address, Object stub, List<Channel> opened) {
        StubChannel channel = new StubChannel();
        stubChannels.removeIf(it -> !it.open);
        stubChannels.add(channel);
        opened.add(channel);
        return address.getPort() == 0 ? new InetSocketAddress(address.getAddress(), 5400) : address;
    }

    /** From now on, the DNS stub does not respond, until it listens again. */
    void hangStub() {
        stubChannels.forEach(channel -> channel.hangs = true);
    }

    /** Ends the sockets of the DNS stub, as an error of one of them does. */
    void closeStub() {
        stubChannels.forEach(StubChannel::close);
    }

    private void probe(String name, Duration timeout) throws IOException {
        boolean hangs = switch (name) {
            case "dns" -> stubChannels.stream().anyMatch(channel -> channel.open && channel.hangs);
            // Neither is a process here.
            case "tailscale", "wireguard" -> false;
            default -> processes().stream().anyMatch(SimulatedProcess::hangs);
        };
        if (hangs) {
            threads.await(() -> false, timeout);
            throw new IOException("no response within " + timeout.toSeconds() + " s");
        }
    }

    // What its user does

    void reload() {
        application.ifPresent(it -> it.requestReload("SIGHUP"));
    }

    void request(ControlRequest request) {
        note("command: " + request);
        application.ifPresent(it -> it.request(request));
    }

    static String serverFile(int number) {
        return "etc/wireguard/servers/" + number + ".conf";
    }

    /** Writes the file of a server again, with this MTU, as an editor does. */
    void changeServerFile(int number, int mtu) {
        files.replacePrivate(serverFile(number), serverText(number).replace("[Peer]", "MTU = " + mtu + "\n\n[Peer]"));
    }

    void repairServerFile(int number) {
        files.replacePrivate(serverFile(number), serverText(number));
    }

    // Servers

    private void tickSoon() {
        if (!tickSoon) {
            tickSoon = true;
            threads.schedule(Duration.ofMillis(1), () -> {
                tickSoon = false;
                exchangeWithServers();
            });
        }
    }

    private void tick() {
        exchangeWithServers();
        threads.schedule(TICK, this::tick);
    }

    /** What the tunnel and its server send each other, as of the white paper, in steps of some seconds. */
    private void exchangeWithServers() {
        SimulatedDevice device = kernel.devices.get("wg0");
        if (device == null || kernel.network.link("wg0").filter(link -> link.up).isEmpty()) {
            return;
        }
        for (SimulatedDevice.Peer peer : device.peers.values()) {
            Optional<InetSocketAddress> endpoint = peer.endpointAddress();
            if (endpoint.isEmpty() || device.publicKey.isEmpty()) {
                continue;
            }
            Optional<Server> server = servers.stream()
                    .filter(it -> it.address.equals(endpoint.get().getAddress().getHostAddress())
                            && Arrays.equals(it.publicKey, peer.key))
                    .findFirst();
            boolean reached =
                    server.isPresent() && server.get().behaviour != Behaviour.DEAD && reaches(device, server.get());
            long now = threads.nanoTime();
            boolean initiates = true;
            if (peer.session.isPresent()) {
                long age = now - peer.session.get();
                if (age < Duration.ofMinutes(3).toNanos()) {
                    peer.sent += 1000;
                    boolean answered = reached && server.get().behaviour == Behaviour.ALIVE;
                    if (answered) {
                        peer.received += 1280;
                        peer.unansweredSince = Optional.empty();
                    } else if (peer.unansweredSince.isEmpty()) {
                        peer.unansweredSince = Optional.of(now);
                    }
                    initiates = age >= Duration.ofMinutes(2).toNanos()
                            || peer.unansweredSince
                                    .filter(since -> now - since
                                            >= Duration.ofSeconds(15).toNanos())
                                    .isPresent();
                }
            }
            if (initiates) {
                peer.sent += 148;
                if (reached) {
                    threads.schedule(Duration.ofMillis(20 + random.nextInt(60)), () -> completeHandshake(device, peer));
                }
            }
        }
    }

    private void completeHandshake(SimulatedDevice device, SimulatedDevice.Peer peer) {
        if (kernel.devices.get("wg0") != device || !device.peers.containsValue(peer)) {
            return;
        }
        peer.lastHandshake = Optional.of(clock.instant());
        peer.session = Optional.of(threads.nanoTime());
        peer.unansweredSince = Optional.empty();
        peer.received += 92;
        peer.sent += 32;
    }

    private boolean reaches(SimulatedDevice device, Server server) {
        if (kernel.network.link(uplink).filter(link -> link.up && link.carrier).isEmpty()) {
            return false;
        }
        long key =
                StateHash.of(kernel.hash(SimulatedNetwork.IPV4), device.port, device.mark, server.address.hashCode());
        Boolean known = REACHED.get(key);
        if (known == null) {
            known = Witnesses.leavesTunnelPacket(
                    routing(),
                    ruleset().tables(),
                    INNER,
                    "192.0.2.10",
                    server.address,
                    device.port,
                    51820,
                    device.mark);
            REACHED.put(key, known);
        }
        return known;
    }

    void forgetSessions() {
        kernel.devices
                .values()
                .forEach(device -> device.peers.values().forEach(peer -> peer.session = Optional.empty()));
    }

    // Observation

    private RoutingState routing() {
        return new RoutingStateReader(kernel.unobserved()).read();
    }

    private KernelRuleset ruleset() {
        try (RulesetReader reader = RulesetReader.open(kernel.unobservedSockets())) {
            return reader.read();
        }
    }

    @Override
    public int before(boolean isChange) {
        operations++;
        if (killAfter > 0 && --killAfter == 0) {
            kill(Duration.ofMillis(500 + random.nextInt(20_000)));
        }
        if (failingRequests > 0) {
            failingRequests--;
            return failingErrno;
        }
        return 0;
    }

    @Override
    public void after(boolean isChange) {
        if (isChange) {
            judge();
        }
    }

    /** Judges the state of the kernel. */
    void judge() {
        boolean isActive = kernel.ruleset.has("culvert");
        if (!isGuarded) {
            isGuarded = isActive;
        } else if (!isActive && !container && !troubles.containsKey("nftables")) {
            // A machine's kill switch ends with the program, also where its start fails.
            isGuarded = false;
            Optional<ExitNodeApplication> ending = application;
            threads.schedule(Duration.ofSeconds(5), () -> {
                if (ending.isPresent() && application.equals(ending)) {
                    fail("the kill switch has been removed, but the program has not ended");
                }
            });
        }
        long ipv4Hash = kernel.hash(SimulatedNetwork.IPV4);
        long ipv6Hash = kernel.hash(SimulatedNetwork.IPV6);
        long hash = StateHash.of(ipv4Hash, ipv6Hash);
        traceHash = traceHash * 31 + Long.hashCode(hash);
        if (!isGuarded) {
            return;
        }
        if (hash != checkedHash) {
            checkedHash = hash;
            Witnesses.Leaving known = JUDGED.get(hash);
            if (known == null) {
                known = Witnesses.find(routing(), ruleset().tables(), kernel.ruleset.hash(), INNER);
                JUDGED.put(hash, known);
            }
            leaving = known;
        }
        boolean nft = troubles.containsKey("nftables");
        boolean rules = troubles.containsKey("routing");
        boolean bad = (!leaving.byEachLayer().isEmpty() && !(nft && rules))
                || (!leaving.others().isEmpty() && !nft);
        if (bad) {
            fail("may leave: " + leaving.byEachLayer() + " " + leaving.others());
        }
        if (leaving.byEachLayer().isEmpty() && leaving.others().isEmpty()) {
            openSince = Optional.empty();
        } else if (openSince.isEmpty()) {
            openSince = Optional.of(threads.nanoTime());
        }
    }

    void fail(String why) {
        throw new AssertionError(why + "\n" + report());
    }

    /** Notes that something is wrong from now on. */
    void trouble(String what) {
        troubles.put(what, threads.nanoTime());
        note("trouble: " + what);
    }

    void repaired(String what) {
        troubles.remove(what);
        note("all right again: " + what);
        allRightSince = threads.nanoTime();
    }

    /** Postpones the judgement of whether it is connected, after something that is over at once. */
    void disturbed(String what) {
        note(what);
        allRightSince = threads.nanoTime();
    }

    void note(String what) {
        trace.append(String.format("%9.3f %s%n", threads.nanoTime() / 1e9, what));
        logText.append(String.format("--- %.3f %s%n", threads.nanoTime() / 1e9, what));
        traceHash = traceHash * 31 + what.hashCode();
    }

    private void check() {
        if (files.isHealthy()) {
            refusals = 0;
            lastHealthy = threads.nanoTime();
        }
        if (troubles.isEmpty()
                && isRunning()
                && !isStopping
                && threads.nanoTime() - allRightSince > HEALTHY.toNanos()
                && threads.nanoTime() - lastHealthy > SWITCH.toNanos()) {
            fail("not healthy, although all has been right for " + HEALTHY.toSeconds() + " s");
        }
        if (openSince.isPresent()
                && threads.nanoTime() - openSince.get() > REPAIR.toNanos()
                && isRunning()
                && !troubles.containsKey("starting")) {
            fail("the kill switch has not been restored: " + leaving);
        }
        threads.schedule(Duration.ofSeconds(5), this::check);
    }

    String report() {
        StringBuilder text = new StringBuilder(trace);
        text.append("log:\n").append(logText);
        return text.toString();
    }

    /** A number that two runs of a seed have in common. */
    long fingerprint() {
        return traceHash * 1_000_003L + operations;
    }

    /**
     * Runs the exit node for this time.
     *
     * @return the failure
     */
    Optional<Throwable> run(Duration time, Faults faults) throws InterruptedException {
        threads.schedule(TICK, this::tick);
        threads.schedule(Duration.ofSeconds(5), this::check);
        faults.begin(this, time);
        threads.schedule(time, this::requestStop);
        threads.schedule(time.plusSeconds(30), () -> {
            if (isRunning() && isStopping) {
                fail("has not stopped");
            }
            judge();
            threads.finish(Optional.empty());
        });
        start();
        Optional<Throwable> failure = threads.run();
        return failure;
    }

    @Override
    public void close() {
        files.close();
    }
}
