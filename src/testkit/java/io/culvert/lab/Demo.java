// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Family;
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
 * Runs Culvert in the lab and prints, in about a minute, what it measures: which address servers see and which packets leave
 * the node. Exits with status 1 if a check fails.
 */
public final class Demo {

    private static final Duration START_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration RECONNECT_TIMEOUT = Duration.ofSeconds(60);
    private static final int SOCKS_PORT = 1080;

    private final Lab lab;
    private final DemoReport report;
    private final DemoMesh mesh;
    private final Observer observer;
    private final Probe client;
    private final Probe lanHost;
    private final Probe node;

    private Demo(Lab lab, DemoReport report, DemoMesh mesh) {
        this.lab = lab;
        this.report = report;
        this.mesh = mesh;
        this.observer = lab.observe();
        this.client = Probe.from(lab.client().namespace());
        this.lanHost = Probe.from(lab.lanHost());
        this.node = Probe.from(lab.node().namespace());
    }

    public static void main(String[] arguments) {
        DemoReport report = new DemoReport(
                System.out,
                System.getenv("NO_COLOR") == null
                        && Optional.ofNullable(System.console())
                                .filter(Console::isTerminal)
                                .isPresent());
        String meshName = Optional.ofNullable(System.getenv("MESH")).orElse("");
        report.section("Lab of network namespaces on this machine's kernel");
        report.progress("creating the namespaces");
        try (Lab lab = Lab.open()) {
            report.check("lab: client, exit node, router, VPN provider and internet servers are running", true, true);
            new Demo(lab, report, mesh(meshName, lab)).run();
        } catch (AssertionError | RuntimeException e) {
            report.abort(String.valueOf(e.getMessage()));
        }
        System.exit(report.finish());
    }

    /** @param name the value of the variable {@code MESH} */
    private static DemoMesh mesh(String name, Lab lab) {
        return switch (name) {
            case "", "wireguard" -> new WireGuardDemoMesh(lab);
            case "tailscale" -> new TailscaleDemoMesh(lab);
            default ->
                throw new IllegalArgumentException("MESH: '" + name + "' is unknown: use wireguard or tailscale");
        };
    }

    private void run() {
        withoutExitNode();
        String meshPackets = mesh.allowPackets(observer);
        try (RunningProgram culvert = start()) {
            throughTheTunnel();
            String server = lab.provider().publicIpv4();
            checkLeaks("only " + meshPackets + " and WireGuard to " + server + " left the node");
            providerFails(meshPackets);
            providerRecovers(culvert);
            stop(culvert);
            report.details("Log of culvert", culvert.output());
        }
    }

    private void withoutExitNode() {
        report.section("Without an exit node");
        report.check(
                "client: address seen by the web server over IPv4",
                Optional.of(Lab.CLIENT_IPV4),
                client.whoami(Family.IPV4));
        report.check("client: over IPv6", Optional.of(Lab.CLIENT_IPV6), client.whoami(Family.IPV6));
        report.check(
                "observer: detects unencrypted packets on the node's uplink",
                true,
                observer.sees(() -> node.whoami(Family.IPV4)));
    }

    private RunningProgram start() {
        report.section("culvert up: " + mesh.title() + ", SOCKS5 proxy");
        LabNode sandbox =
                lab.node().wireGuardFile("provider.conf", lab.provider().file());
        observer.allowWireGuardTo(lab.provider().publicIpv4(), Provider.PORT).allowService(SOCKS_PORT);
        Map<String, String> settings = new HashMap<>(mesh.settings());
        settings.put("CULVERT_SOCKS", "true");
        report.progress("starting");
        long begin = System.nanoTime();
        RunningProgram culvert = sandbox.start(settings, "up");
        culvert.awaitLine(LabNode.READY, START_TIMEOUT);
        Duration elapsed = Duration.ofNanos(System.nanoTime() - begin);
        report.check("culvert: ready after " + elapsed.toMillis() + " ms", true, culvert.isAlive());
        return culvert;
    }

    private void throughTheTunnel() {
        String provider4 = lab.provider().publicIpv4();
        String provider6 = lab.provider().publicIpv6();
        report.section("Client uses the exit node");
        report.progress("waiting for the exit node to be advertised");
        mesh.useExitNode();
        report.check(
                "client: traffic leaves through the tunnel, address seen by the web server over IPv4",
                Optional.of(provider4),
                client.whoami(Family.IPV4));
        report.check("client: over IPv6", Optional.of(provider6), client.whoami(Family.IPV6));
        report.check("client: over UDP", Optional.of(provider4), client.echo(Family.IPV4));
        String proxy = mesh.proxyAddress();
        report.section("LAN host uses the SOCKS5 proxy");
        report.check(
                "LAN host: traffic leaves through the tunnel, address seen by the web server over IPv4",
                Optional.of(provider4),
                lanHost.whoamiBySocks(proxy, SOCKS_PORT, Family.IPV4));
        report.check(
                "LAN host: over IPv6", Optional.of(provider6), lanHost.whoamiBySocks(proxy, SOCKS_PORT, Family.IPV6));
        report.section("DNS");
        report.check(
                "client: client.example resolves to",
                List.of(Lab.SERVER_IPV6),
                client.resolve(mesh.resolverAddress(), "client.example", Family.IPV6));
        report.check(
                "node: node.example resolves to",
                Lab.SERVER_IPV4 + "\n",
                lab.node().attempt("dig", "+short", "+time=3", "node.example").out());
        report.check(
                "resolver: queries came from",
                List.of(provider4),
                lab.internet().queries().stream()
                        .filter(query ->
                                List.of("client.example.", "node.example.").contains(query.name()))
                        .map(ReceivedQuery::sourceAddress)
                        .distinct()
                        .toList());
    }

    private void providerFails(String meshPackets) {
        report.section("VPN provider fails");
        lab.provider().stop();
        observer.reset();
        report.progress("sending requests from client, node and LAN host");
        String proxy = mesh.proxyAddress();
        List<String> replies = Demo.<Optional<String>>runConcurrently(List.of(
                        () -> client.whoami(Family.IPV4),
                        () -> client.whoami(Family.IPV6),
                        () -> client.echo(Family.IPV4),
                        () -> client.echo(Family.IPV6),
                        () -> node.whoami(Family.IPV4),
                        () -> node.whoami(Family.IPV6),
                        () -> node.echo(Family.IPV4),
                        () -> node.echo(Family.IPV6),
                        () -> lanHost.whoamiBySocks(proxy, SOCKS_PORT, Family.IPV4),
                        () -> lanHost.whoamiBySocks(proxy, SOCKS_PORT, Family.IPV6)))
                .stream()
                .flatMap(Optional::stream)
                .toList();
        report.check(
                "kill switch: traffic of client, node and LAN host is blocked, replies received", List.of(), replies);
        checkLeaks("only " + meshPackets + " and WireGuard left the node");
        report.check(
                "observer: detects a frame that bypasses the kill switch",
                true,
                observer.sees(lab.node()::sendFrameBypassingNetfilter));
    }

    private void providerRecovers(RunningProgram culvert) {
        String provider4 = lab.provider().publicIpv4();
        report.section("VPN provider recovers");
        lab.provider().start();
        report.progress("waiting for culvert to reconnect");
        long begin = System.nanoTime();
        Optional<String> address = Optional.empty();
        // Each request has a timeout, which sets the pace.
        while (address.isEmpty() && System.nanoTime() - begin < RECONNECT_TIMEOUT.toNanos()) {
            address = client.echo(Family.IPV4);
        }
        Duration elapsed = Duration.ofNanos(System.nanoTime() - begin);
        report.check(
                "client: traffic leaves through the tunnel again after " + elapsed.toSeconds()
                        + " s, address seen over IPv4",
                Optional.of(provider4),
                address);
        report.check("client: over IPv6", Optional.of(lab.provider().publicIpv6()), client.whoami(Family.IPV6));
        report.check("culvert: same process, not restarted", true, culvert.isAlive());
        checkLeaks("nothing else left the node");
    }

    private void stop(RunningProgram culvert) {
        report.section("culvert stops (SIGTERM)");
        culvert.signal("TERM");
        report.check("culvert: stopped, exit status", 0, culvert.awaitExit(START_TIMEOUT));
    }

    private void checkLeaks(String situation) {
        long wireGuard = observer.count("WireGuard to " + lab.provider().publicIpv4());
        report.check(
                "observer: " + situation + " (" + wireGuard + " WireGuard packets), leaked packets",
                Map.of(),
                observer.leaks());
    }

    /** Runs all tasks at the same time and returns their results. */
    private static <T> List<T> runConcurrently(List<Callable<T>> work) {
        List<FutureTask<T>> tasks = work.stream().map(FutureTask::new).toList();
        tasks.forEach(task -> Thread.ofPlatform().daemon().start(task));
        List<T> results = new ArrayList<>();
        for (FutureTask<T> task : tasks) {
            try {
                results.add(task.get());
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
        return results;
    }
}
