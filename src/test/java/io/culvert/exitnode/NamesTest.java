package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.DnsQuestion;
import io.culvert.lab.EngineResolver;
import io.culvert.lab.Lab;
import io.culvert.lab.Namespace;
import io.culvert.lab.Outcome;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Names: everybody's are asked through the tunnel, and only those that the tunnel itself needs beside it, only by us.
 */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class NamesTest {

    private static final List<String> RESOLVERS =
            List.of(Lab.RESOLVER_4, Lab.RESOLVER_6, Lab.ROUTER_4, Lab.ROUTER_6, "127.0.0.1", "::1");

    /** Those that a phone reaches as well. */
    private static final List<String> INTERNET = List.of(Lab.RESOLVER_4, Lab.RESOLVER_6);

    private final World world = World.of(Shape.USUAL);

    @AfterEach
    void closeLab() {
        world.close();
    }

    private List<DnsQuestion> asked(String name) {
        return world.lab.internet().questions().stream()
                .filter(question -> question.name().equals(name + "."))
                .toList();
    }

    private void muteTheResolver() {
        world.lab.router().nft("""
                table inet mute {
                  chain in { type filter hook prerouting priority -300; th dport 53 drop; }
                }
                """);
    }

    private void allAskedByTheProvider(String name) {
        assertThat(asked(name))
                .as(name)
                .isNotEmpty()
                .allSatisfy(question ->
                        assertThat(question.asker()).isIn(world.provider(Family.IPV4), world.provider(Family.IPV6)));
    }

    @Test
    void whatever_resolver_a_process_or_a_phone_asks_the_question_goes_through_the_tunnel() {
        // Before it runs, the observer sees such questions.
        assertThat(world.observer.sees(() -> world.node.resolve(Lab.RESOLVER_4, "before.example", Family.IPV4)))
                .isTrue();
        world.unguarded(() -> assertThat(
                        world.observer.sees(() -> world.phone.resolve(Lab.RESOLVER_4, "before.example", Family.IPV4)))
                .isTrue());
        world.connect(world.settings(Map.of()));
        world.lab.client().useExitNode();
        world.observer.forget();

        int number = 0;
        for (String resolver : RESOLVERS) {
            for (String transport : List.of("+notcp", "+tcp")) {
                for (String from : List.of("node", "phone")) {
                    boolean phone = from.equals("phone");
                    if (phone && !INTERNET.contains(resolver)) {
                        continue;
                    }
                    String name = "n" + ++number + ".example";
                    Outcome answer = (phone ? world.lab.client().space() : world.space())
                            .attempt("dig", "+short", "+tries=1", "+time=3", transport, "@" + resolver, name, "A");
                    assertThat(answer.out().strip())
                            .as(from + " asks " + resolver + " " + transport)
                            .isEqualTo(Lab.SERVER_4);
                    allAskedByTheProvider(name);
                }
            }
        }
        for (String resolver : World.meshAddresses()) {
            String name = "m" + ++number + ".example";
            assertThat(world.phone.resolve(resolver, name, Family.IPV6)).containsExactly(Lab.SERVER_6);
            allAskedByTheProvider(name);
        }
        assertThat(world.lab.node().resolvConf()).contains("127.0.0.1");
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void names_of_other_containers_are_asked_of_the_engine_s_resolver_and_no_others_are() {
        world.lab.node().resolvConf("nameserver " + Lab.ROUTER_4 + "\nsearch dns.podman home.example\n");
        world.observer.allow("our questions for names", packet -> packet.destinationPort() == 53);
        world.connect(World.alone(Map.of()));

        assertThat(world.lab.node().attempt("getent", "ahostsv4", "db").out()).startsWith(Lab.SERVER_4);
        assertThat(world.node.resolve("127.0.0.1", "printer.home.example", Family.IPV4))
                .containsExactly(Lab.SERVER_4);

        assertThat(asked("db.dns.podman"))
                .isNotEmpty()
                .allSatisfy(question -> assertThat(question.asker()).isEqualTo(Lab.NODE_4));
        allAskedByTheProvider("printer.home.example");
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void names_without_a_dot_are_asked_of_Docker_s_resolver_which_has_them() {
        world.space().start("python3", "-u", "-c", """
                import socket
                asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                asked.bind(('127.0.0.11', 53)); print('serving')
                while True:
                    query, who = asked.recvfrom(4096)
                    end = query.index(b'\\0', 12) + 5
                    address = b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4' + socket.inet_aton('192.0.2.77')
                    asked.sendto(query[:2] + b'\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0' + query[12:end] + address, who)
                """).awaitLine("serving", World.SOON);
        world.lab.node().resolvConf("nameserver 127.0.0.11\noptions ndots:0\n# ExtServers: [" + Lab.ROUTER_4 + "]\n");
        world.connect(World.alone(Map.of()));

        assertThat(world.node.resolve("127.0.0.1", "db", Family.IPV4)).containsExactly("192.0.2.77");
        assertThat(world.node.resolve("127.0.0.1", "www.example", Family.IPV4)).containsExactly(Lab.SERVER_4);

        allAskedByTheProvider("www.example");
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void one_name_that_Docker_does_not_know_stops_nothing() throws Exception {
        try (EngineResolver docker = EngineResolver.forwardingTo(world.space(), Lab.ROUTER_4)) {
            world.lab
                    .node()
                    .resolvConf("nameserver " + EngineResolver.ADDRESS + "\noptions ndots:0\n# ExtServers: ["
                            + Lab.ROUTER_4 + "]\n");
            world.connect(World.alone(Map.of()));
            assertThat(world.node.resolve("127.0.0.1", "db", Family.IPV4)).containsExactly(EngineResolver.CONTAINER_4);

            Outcome unknown = world.space().attempt("dig", "+tries=1", "+time=3", "@127.0.0.1", "nowhere", "A");
            assertThat(unknown.out()).contains("NXDOMAIN");
            List<Callable<List<String>>> queries = IntStream.range(0, 80)
                    .<Callable<List<String>>>mapToObj(number -> () -> world.node.resolve(
                            "127.0.0.1", number % 4 == 0 ? "db" : "later" + number + ".example", Family.IPV4))
                    .toList();
            try (ExecutorService asking = Executors.newFixedThreadPool(8)) {
                for (Future<List<String>> answer : asking.invokeAll(queries)) {
                    assertThat(answer.get()).hasSize(1);
                }
            }

            assertThat(docker.questions().stream()
                            .filter(question -> question.name().equals("nowhere.")))
                    .hasSize(1);
            assertThat(docker.questions())
                    .extracting(DnsQuestion::name)
                    .containsOnly("db.", "nowhere.")
                    .hasSizeLessThan(30);
            allAskedByTheProvider("nowhere");
        }
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void a_pod_s_search_list_tells_the_cluster_no_name_of_the_internet() {
        String search = "search default.svc.cluster.local svc.cluster.local cluster.local";
        world.lab.node().resolvConf("nameserver " + Lab.ROUTER_4 + "\n" + search + "\noptions ndots:5\n");
        // Without the program, all of them are told.
        world.lab.node().attempt("getent", "ahostsv4", "before.example");
        assertThat(asked("before.example.svc.cluster.local")).isNotEmpty();
        world.observer.allow("our questions for names", packet -> packet.destinationPort() == 53);
        world.connect(World.alone(Map.of()));

        for (String name : List.of("secret.example", "a.secret.example", "secret.example.org", "a.b.secret.example")) {
            Outcome found = world.lab.node().attempt("getent", "ahostsv4", name);
            if (name.endsWith(".example")) {
                assertThat(found.out()).startsWith(Lab.SERVER_4);
                allAskedByTheProvider(name);
            }
        }
        for (String cluster : List.of("kubernetes", "kubernetes.default", "web.dev.svc", "db-0.db.backend.svc")) {
            world.lab.node().attempt("getent", "ahostsv4", cluster);
        }

        assertThat(world.lab.internet().questions())
                .filteredOn(question ->
                        question.asker().equals(Lab.NODE_4) && !question.name().startsWith("before."))
                .extracting(DnsQuestion::name)
                .isNotEmpty()
                .contains(
                        "kubernetes.default.svc.cluster.local.",
                        "web.dev.svc.cluster.local.",
                        "db-0.db.backend.svc.cluster.local.")
                .allSatisfy(name -> assertThat(name).doesNotContain("secret"));
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void a_search_list_makes_no_resolver_of_the_internet_hear_anything_outside_the_tunnel() {
        world.lab
                .node()
                .resolvConf("nameserver " + Lab.RESOLVER_4
                        + "\nsearch apps.svc.corp.test svc.corp.test corp.test dns.podman\n");
        assertThat(world.observer.sees(
                        () -> world.node.resolve(Lab.RESOLVER_4, "before.apps.svc.corp.test", Family.IPV4)))
                .isTrue();
        world.connect(World.alone(Map.of()));
        world.observer.forget();

        for (String name : List.of("db.apps.svc.corp.test", "x.svc.corp.test", "secret.corp.test", "db.dns.podman")) {
            world.space().attempt("dig", "+tries=1", "+time=3", "@127.0.0.1", name, "A");
            allAskedByTheProvider(name);
        }
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void what_another_container_writes_into_resolv_conf_decides_nothing_after_a_crash() throws IOException {
        String original = world.lab.node().resolvConf();
        world.lab
                .node()
                .wireGuardFile(
                        "provider.conf",
                        world.lab.provider().file("provider0.example:" + Provider.PORT, "0.0.0.0/0, ::/0"));
        world.observer.allow(
                "our questions for names", packet -> packet.destinationPort() == 53 && packet.isTo(Lab.ROUTER_4));
        Child killed = world.connect(World.alone(Map.of()));
        killed.signal("KILL");
        killed.awaitExit(World.SOON);
        world.lab.node().resolvConf(world.lab.node().resolvConf().replace(Lab.ROUTER_4, Lab.RESOLVER_4));

        // As in a restarted container, whose /run has what the first start kept.
        killed = world.connect(World.alone(Map.of()));
        killed.signal("KILL");
        killed.awaitExit(World.SOON);
        // As in a pod, where only resolv.conf outlives the container.
        Files.delete(world.lab.node().run().resolve("culvert/resolv.conf"));
        String ours = world.lab.node().resolvConf();
        world.lab.node().resolvConf(ours.replace(Lab.ROUTER_4, Lab.RESOLVER_4));
        Child refusing = world.start(World.alone(Map.of()));
        refusing.awaitLine(
                "cannot be verified; of its nameservers, only those in local networks are used \\(none\\)", World.SOON);
        refusing.awaitLine("provider0.example does not resolve", World.SOON);
        refusing.signal("KILL");
        refusing.awaitExit(World.SOON);
        assertThat(world.observer.leaks()).isEmpty();

        world.lab.node().resolvConf(ours);
        Child sealed = world.connect(World.alone(Map.of()));
        sealed.signal("TERM");
        sealed.awaitExit(World.SOON);
        assertThat(world.lab.node().resolvConf()).isEqualTo(original);
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void a_lie_on_the_local_network_opens_no_bypass_once_the_tunnel_is_up() {
        String lie = "198.51.100.21";
        Namespace internet = world.lab.internet().space();
        internet.ip("address add " + lie + "/32 dev lo");
        World.serve(internet, 8000);
        world.lab
                .neighbour()
                .start("python3", "-u", "-c", """
                import socket
                asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                asked.bind(('%s', 53)); print('serving')
                while True:
                    query, who = asked.recvfrom(4096)
                    end = query.index(b'\\0', 12) + 5
                    address = b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4' + socket.inet_aton('%s')
                    asked.sendto(query[:2] + b'\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0' + query[12:end] + address, who)
                """.formatted(Lab.NEIGHBOUR_4, lie))
                .awaitLine("serving", World.SOON);
        world.lab.node().resolvConf("nameserver " + Lab.NEIGHBOUR_4 + "\n");
        world.observerIsNotBlind(Family.values());
        world.observer.allow("our questions for names", packet -> packet.destinationPort() == 53);
        world.observer.allow("the bypass", packet -> packet.isTo(Lab.SERVER_4) && packet.destinationPort() == 8000);
        Child culvert = world.connect(World.alone(Map.of("CULVERT_HOLEPUNCH", "web.example:8000/tcp")));
        culvert.awaitLine(
                "198.51.100.21: removed from the bypasses, as the DNS servers of the tunnel do not confirm it",
                World.SOON);
        culvert.awaitLine("kill switch: updated: ip -4 rule add .*" + Lab.SERVER_4, World.SOON);

        assertThat(World.ask(world.space(), Lab.SERVER_4, 8000)).isEqualTo(Lab.NODE_4);
        assertThat(World.ask(world.space(), lie, 8000)).isEqualTo(world.provider(Family.IPV4));
        assertThat(world.observer.leaks()).isEmpty();
    }

    /**
     * As by satellite, or of a home router with too much to do: each question is answered when it has been asked four
     * times.
     */
    @Test
    void a_resolver_that_takes_longer_than_an_attempt_of_ours_is_heard() {
        world.lab
                .neighbour()
                .start("python3", "-u", "-c", """
                import socket
                asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                asked.bind(('%s', 53)); print('serving')
                held = {}
                while True:
                    query, who = asked.recvfrom(4096)
                    end = query.index(b'\\0', 12) + 5
                    first = held.setdefault(query[12:end].lower(), [(query, who)])
                    first.append(None)
                    if len(first) != 5: continue
                    query, who = first[0]
                    ipv4 = query[end - 4:end - 2] == b'\\0\\1'
                    address = b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4' + socket.inet_aton('%s') if ipv4 else b''
                    asked.sendto(query[:2] + b'\\x81\\x80\\0\\1\\0' + bytes([ipv4]) + b'\\0\\0\\0\\0' + query[12:end] + address, who)
                """.formatted(
                                Lab.NEIGHBOUR_4, world.lab.provider().outer4()))
                .awaitLine("serving", World.SOON);
        world.lab.node().resolvConf("nameserver " + Lab.NEIGHBOUR_4 + "\n");
        world.lab
                .node()
                .wireGuardFile(
                        "provider.conf",
                        world.lab.provider().file("provider0.example:" + Provider.PORT, "0.0.0.0/0, ::/0"));
        world.observer.allow("our questions for names", packet -> packet.destinationPort() == 53);

        Child culvert = world.connect(World.alone(Map.of()));

        assertThat(culvert.output()).doesNotContain("does not resolve");
        world.localTrafficGoesByTheProvider(Family.values());
    }

    @Test
    void the_server_s_name_does_not_resolve_at_first_and_all_is_closed_until_it_does() {
        world.observerIsNotBlind(Family.values());
        muteTheResolver();
        world.lab
                .node()
                .wireGuardFile(
                        "provider.conf",
                        world.lab.provider().file("provider0.example:" + Provider.PORT, "0.0.0.0/0, ::/0"));
        world.observer.allow("our questions for names", packet -> packet.destinationPort() == 53);
        Child culvert = world.start(World.alone(Map.of()));
        culvert.awaitLine("provider0.example does not resolve; retrying", World.SOON);

        world.localTrafficIsClosed(Family.values());
        assertThat(world.status().state()).hasToString("connecting");
        assertThat(world.status().server()).contains("not resolved");

        world.lab.router().nft("delete table inet mute");
        culvert.awaitLine("dns: provider0.example resolved", World.SOON);
        culvert.awaitLine("tunnel: connected to 203.0.113.10", World.SOON);

        world.localTrafficGoesByTheProvider(Family.values());
        // Asked by the node itself, and by nobody else: other questions go through the tunnel.
        assertThat(asked("provider0.example"))
                .isNotEmpty()
                .allSatisfy(question -> assertThat(question.asker()).isEqualTo(Lab.NODE_4));
        assertThat(world.node.resolve(Lab.ROUTER_4, "provider0.example", Family.IPV4))
                .containsExactly("203.0.113.10");
        assertThat(asked("provider0.example").getLast().asker()).isEqualTo(world.provider(Family.IPV4));
    }

    @Test
    void a_stop_is_quick_and_orderly_while_the_server_s_name_does_not_resolve() {
        muteTheResolver();
        world.lab
                .node()
                .wireGuardFile(
                        "provider.conf",
                        world.lab.provider().file("provider0.example:" + Provider.PORT, "0.0.0.0/0, ::/0"));
        String resolvConf = world.lab.node().resolvConf();
        world.observer.allow("our questions for names", packet -> packet.destinationPort() == 53);
        Child culvert = world.start(World.alone(Map.of()));
        culvert.awaitLine("waiting for .* provider.conf", World.SOON);

        culvert.signal("TERM");

        assertThat(culvert.awaitExit(World.SOON)).isZero();
        assertThat(culvert.output()).contains("received SIGTERM").endsWith("stopped");
        assertThat(world.lab.node().resolvConf()).isEqualTo(resolvConf);
        world.localTrafficIsClosed(Family.values());
    }
}
