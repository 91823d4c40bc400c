package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Client;
import io.culvert.lab.Lab;
import io.culvert.lab.Namespace;
import io.culvert.lab.Observer;
import io.culvert.lab.Outcome;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import io.culvert.lab.UnguardedExit;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusSocket;
import java.nio.file.Files;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A lab whose node is to run the exit node, whoever uses it, and the observer who decides what leaked. */
final class World implements AutoCloseable {

    static final Duration SOON = Duration.ofSeconds(30);

    static final String PRIVATE_NODE_4 = "10.5.0.10";
    static final String PRIVATE_NODE_6 = "fd05::10";
    static final String PRIVATE_NEIGHBOUR_4 = "10.5.0.20";
    static final String PRIVATE_NEIGHBOUR_6 = "fd05::20";

    final Lab lab;
    final Probe node;
    final Probe phone;
    final Observer observer;

    private World(Shape shape) {
        lab = Lab.open(shape);
        node = Probe.from(lab.node().space());
        phone = Probe.from(lab.client().space());
        observer = lab.observe().allowMesh();
        for (int number = 0; number < shape.providers(); number++) {
            // A name whose first question goes unanswered leads to the address of the other family.
            observer.allowWireGuardTo(lab.provider(number).outer4(), Provider.PORT)
                    .allowWireGuardTo(lab.provider(number).outer6(), Provider.PORT);
        }
        lab.node().wireGuardFile("provider.conf", lab.provider().file());
        lab.node().file("mesh.conf", lab.client().nodeFile());
    }

    static World of(Shape shape) {
        return new World(shape);
    }

    World in(Box box) {
        lab.node().in(box);
        return this;
    }

    Namespace space() {
        return lab.node().space();
    }

    /** The settings of the usual exit node, and these. */
    Map<String, String> settings(Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "CULVERT_MESH",
                "wireguard",
                "CULVERT_MESH_CONFIG",
                lab.node().run().resolveSibling("mesh.conf").toString()));
        settings.putAll(more);
        return settings;
    }

    /** The settings of a node that nobody else exits by. */
    static Map<String, String> alone(Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of("CULVERT_MESH", "none"));
        settings.putAll(more);
        return settings;
    }

    Child start(Map<String, String> settings) {
        return lab.node().start(settings, "up");
    }

    /** Starts it and waits until it is connected. */
    Child connect(Map<String, String> settings) {
        Child culvert = start(settings);
        culvert.awaitLine("connected to", SOON);
        return culvert;
    }

    Outcome run(Map<String, String> settings, String... arguments) {
        return lab.node().run(settings, arguments);
    }

    /** What the chain says of itself now. */
    StatusReport status() {
        return StatusSocket.ask(lab.node().run().resolve("culvert/status.sock"));
    }

    /**
     * The test's eyes are open: what a local process sends now is seen, in these families, and so is what a phone sends that
     * exits here while nobody guards the node.
     */
    void observerIsNotBlind(Family... families) {
        for (Family family : families) {
            assertThat(observer.sees(() -> node.whoami(family)))
                    .as("the observer sees " + family)
                    .isTrue();
        }
        unguarded(() -> {
            for (Family family : families) {
                assertThat(observer.sees(() -> phone.echo(family)))
                        .as("the observer sees the phone's " + family)
                        .isTrue();
            }
        });
    }

    /** Lets the phone exit here, before the program runs, with nobody who guards the node. */
    void unguarded(Runnable story) {
        try (UnguardedExit _ = lab.unguardedExit()) {
            story.run();
        }
    }

    /** Local processes are taken for the provider, and nothing else has left. */
    void localTrafficGoesByTheProvider(Family... families) {
        for (Family family : families) {
            assertThat(node.whoami(family)).contains(provider(family));
        }
        assertThat(observer.leaks()).isEmpty();
    }

    /** Nobody local reaches anybody, and nothing has left. */
    void localTrafficIsClosed(Family... families) {
        nobodyIsReached(families);
        assertThat(observer.leaks()).isEmpty();
    }

    /** Nobody local reaches anybody. */
    void nobodyIsReached(Family... families) {
        for (Family family : families) {
            assertThat(node.whoami(family)).isEmpty();
            assertThat(node.echo(family)).isEmpty();
        }
    }

    String provider(Family family) {
        return family == Family.IPV4 ? lab.provider().outer4() : lab.provider().outer6();
    }

    /** All that the program could leave behind in the kernel and in files, as independent programs see it. */
    String footprint() {
        return footprintBesideNftables()
                + space().run("nft", "list", "ruleset").replaceAll("packets \\d+ bytes \\d+", "");
    }

    /** The same but for nftables, where a refused start in a container leaves the kill switch. */
    String footprintBesideNftables() {
        StringBuilder all = new StringBuilder();
        for (List<String> command : List.of(
                List.of("ip", "-o", "-d", "link"),
                List.of("ip", "-o", "address"),
                List.of("ip", "-4", "rule"),
                List.of("ip", "-6", "rule"),
                List.of("ip", "-4", "route", "show", "table", "all"),
                List.of("ip", "-6", "route", "show", "table", "all"),
                List.of("cat", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"))) {
            all.append(space().run(command.toArray(String[]::new))
                    .replaceAll("(valid_lft|preferred_lft|expires) \\S+", "")
                    .lines()
                    // What the kernel learns by itself, from the routers it talks to.
                    .filter(line -> !line.contains("proto redirect") && !line.contains(" cache "))
                    .sorted()
                    .reduce("", (text, line) -> text + line + "\n"));
        }
        all.append(lab.node().resolvConf());
        try (Stream<java.nio.file.Path> left = Files.walk(lab.node().run())) {
            left.filter(Files::exists)
                    .filter(path -> !Files.isDirectory(path))
                    .map(java.nio.file.Path::toString)
                    .forEach(all::append);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return all.toString();
    }

    /** The answer of a TCP service that says who asked; empty without one. */
    static String ask(Namespace from, String address, int port) {
        String host = address.contains(":") ? "[" + address + "]" : address;
        return from.attempt("curl", "-s", "--max-time", "1", "http://" + host + ":" + port + "/")
                .out()
                .strip();
    }

    /** Starts such a service. */
    static void serve(Namespace where, int port) {
        where.start("python3", "-u", "-c", """
                        import http.server, socket
                        class Who(http.server.BaseHTTPRequestHandler):
                            def do_GET(self):
                                who = self.client_address[0].removeprefix('::ffff:').encode()
                                self.send_response(200); self.send_header('Content-Length', str(len(who)))
                                self.end_headers(); self.wfile.write(who)
                            def log_message(self, *a): pass
                        class Server(http.server.ThreadingHTTPServer):
                            address_family = socket.AF_INET6
                        server = Server(('::', %d), Who); print('serving'); server.serve_forever()
                        """.formatted(port)).awaitLine("serving", SOON);
    }

    /**
     * Node and neighbour get a private network beside the lab's, which is of documentation addresses: the neighbour serves on
     * port 8000, the node on 8001.
     */
    void givePrivateAddresses() {
        space().ip(
                        "address add " + PRIVATE_NODE_4 + "/24 dev eth0",
                        "address add " + PRIVATE_NODE_6 + "/64 dev eth0 nodad");
        lab.neighbour()
                .ip(
                        "address add " + PRIVATE_NEIGHBOUR_4 + "/24 dev eth0",
                        "address add " + PRIVATE_NEIGHBOUR_6 + "/64 dev eth0 nodad");
        serve(lab.neighbour(), 8000);
        serve(space(), 8001);
    }

    @Override
    public void close() {
        lab.close();
    }

    /** The node's addresses in the mesh, where the phone's questions for names go. */
    static List<String> meshAddresses() {
        return List.of(Client.MESH_NODE_4, Client.MESH_NODE_6);
    }
}
