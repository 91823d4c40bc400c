// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.DockerResolver;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import io.culvert.lab.ReceivedQuery;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
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
import org.junit.jupiter.api.Test;

/**
 * All programs' DNS queries go through the tunnel; only Culvert's bootstrap queries for names that the tunnel needs
 * bypass it.
 */
@NamespaceTest
class ExitNodeDnsTest {

    private static final List<String> RESOLVERS =
            List.of(Lab.RESOLVER_IPV4, Lab.RESOLVER_IPV6, Lab.ROUTER_IPV4, Lab.ROUTER_IPV6, "127.0.0.1", "::1");

    /** Resolvers that exit-node clients reach as well. */
    private static final List<String> INTERNET = List.of(Lab.RESOLVER_IPV4, Lab.RESOLVER_IPV6);

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private List<ReceivedQuery> queriesFor(String name) {
        return fixture.lab.internet().queries().stream()
                .filter(query -> query.name().equals(name + "."))
                .toList();
    }

    private void silenceContainerResolver() {
        fixture.lab.router().nft("""
                table inet mute {
                  chain in { type filter hook prerouting priority -300; th dport 53 drop; }
                }
                """);
    }

    private void assertAllQueriedThroughTunnel(String name) {
        assertThat(queriesFor(name))
                .as(name)
                .isNotEmpty()
                .allSatisfy(query -> assertThat(query.sourceAddress())
                        .isIn(fixture.provider(Family.IPV4), fixture.provider(Family.IPV6)));
    }

    @Test
    void DNS_queries_to_any_resolver_leave_through_the_tunnel() {
        // Without the exit node, the observer sees such queries.
        assertThat(fixture.observer.sees(() -> fixture.node.resolve(Lab.RESOLVER_IPV4, "before.example", Family.IPV4)))
                .isTrue();
        fixture.withoutKillSwitch(() -> assertThat(fixture.observer.sees(
                        () -> fixture.phone.resolve(Lab.RESOLVER_IPV4, "before.example", Family.IPV4)))
                .isTrue());
        fixture.connect(fixture.settings(Map.of()));
        fixture.lab.client().useExitNode();
        fixture.observer.reset();

        int number = 0;
        for (String resolver : RESOLVERS) {
            for (String transport : List.of("+notcp", "+tcp")) {
                for (String from : List.of("node", "phone")) {
                    boolean phone = from.equals("phone");
                    if (phone && !INTERNET.contains(resolver)) {
                        continue;
                    }
                    String name = "n" + ++number + ".example";
                    CommandResult answer = (phone ? fixture.lab.client().namespace() : fixture.namespace())
                            .attempt("dig", "+short", "+tries=1", "+time=3", transport, "@" + resolver, name, "A");
                    assertThat(answer.out().strip())
                            .as(from + " asks " + resolver + " " + transport)
                            .isEqualTo(Lab.SERVER_IPV4);
                    assertAllQueriedThroughTunnel(name);
                }
            }
        }
        for (String resolver : ExitNodeFixture.meshAddresses()) {
            String name = "m" + ++number + ".example";
            assertThat(fixture.phone.resolve(resolver, name, Family.IPV6)).containsExactly(Lab.SERVER_IPV6);
            assertAllQueriedThroughTunnel(name);
        }
        assertThat(fixture.lab.node().resolvConf()).contains("127.0.0.1");
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void only_names_of_other_containers_are_queried_at_the_engine_s_resolver() {
        fixture.lab.node().resolvConf("nameserver " + Lab.ROUTER_IPV4 + "\nsearch dns.podman home.example\n");
        fixture.observer.allow("bootstrap DNS queries", packet -> packet.destinationPort() == 53);
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));

        assertThat(fixture.lab.node().attempt("getent", "ahostsv4", "db").out()).startsWith(Lab.SERVER_IPV4);
        assertThat(fixture.node.resolve("127.0.0.1", "printer.home.example", Family.IPV4))
                .containsExactly(Lab.SERVER_IPV4);

        assertThat(queriesFor("db.dns.podman"))
                .isNotEmpty()
                .allSatisfy(query -> assertThat(query.sourceAddress()).isEqualTo(Lab.NODE_IPV4));
        assertAllQueriedThroughTunnel("printer.home.example");
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void unqualified_names_are_queried_at_Docker_s_resolver() {
        fixture.namespace().start("python3", "-u", "-c", """
                import socket
                asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                asked.bind(('127.0.0.11', 53)); print('serving')
                while True:
                    query, who = asked.recvfrom(4096)
                    end = query.index(b'\\0', 12) + 5
                    address = b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4' + socket.inet_aton('192.0.2.77')
                    asked.sendto(query[:2] + b'\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0' + query[12:end] + address, who)
                """).awaitLine("serving", ExitNodeFixture.TIMEOUT);
        fixture.lab
                .node()
                .resolvConf("nameserver 127.0.0.11\noptions ndots:0\n# ExtServers: [" + Lab.ROUTER_IPV4 + "]\n");
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));

        assertThat(fixture.node.resolve("127.0.0.1", "db", Family.IPV4)).containsExactly("192.0.2.77");
        assertThat(fixture.node.resolve("127.0.0.1", "www.example", Family.IPV4))
                .containsExactly(Lab.SERVER_IPV4);

        assertAllQueriedThroughTunnel("www.example");
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void a_name_unknown_to_Docker_does_not_block_others() throws Exception {
        try (DockerResolver docker = DockerResolver.forwardingTo(fixture.namespace(), Lab.ROUTER_IPV4)) {
            fixture.lab
                    .node()
                    .resolvConf("nameserver " + DockerResolver.ADDRESS + "\noptions ndots:0\n# ExtServers: ["
                            + Lab.ROUTER_IPV4 + "]\n");
            fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
            assertThat(fixture.node.resolve("127.0.0.1", "db", Family.IPV4))
                    .containsExactly(DockerResolver.CONTAINER_IPV4);

            CommandResult unknown =
                    fixture.namespace().attempt("dig", "+tries=1", "+time=3", "@127.0.0.1", "nowhere", "A");
            assertThat(unknown.out()).contains("NXDOMAIN");
            List<Callable<List<String>>> queries = IntStream.range(0, 80)
                    .<Callable<List<String>>>mapToObj(number -> () -> fixture.node.resolve(
                            "127.0.0.1", number % 4 == 0 ? "db" : "later" + number + ".example", Family.IPV4))
                    .toList();
            try (ExecutorService asking = Executors.newFixedThreadPool(8)) {
                for (Future<List<String>> answer : asking.invokeAll(queries)) {
                    assertThat(answer.get()).hasSize(1);
                }
            }

            assertThat(docker.queries().stream().filter(query -> query.name().equals("nowhere.")))
                    .hasSize(1);
            assertThat(docker.queries())
                    .extracting(ReceivedQuery::name)
                    .containsOnly("db.", "nowhere.")
                    .hasSizeLessThan(30);
            assertAllQueriedThroughTunnel("nowhere");
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void a_pod_s_search_list_leaks_no_internet_names_to_the_cluster() {
        String search = "search default.svc.cluster.local svc.cluster.local cluster.local";
        fixture.lab.node().resolvConf("nameserver " + Lab.ROUTER_IPV4 + "\n" + search + "\noptions ndots:5\n");
        // Without the exit node, the resolver receives all of them.
        fixture.lab.node().attempt("getent", "ahostsv4", "before.example");
        assertThat(queriesFor("before.example.svc.cluster.local")).isNotEmpty();
        fixture.observer.allow("bootstrap DNS queries", packet -> packet.destinationPort() == 53);
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));

        for (String name : List.of("secret.example", "a.secret.example", "secret.example.org", "a.b.secret.example")) {
            CommandResult lookup = fixture.lab.node().attempt("getent", "ahostsv4", name);
            if (name.endsWith(".example")) {
                assertThat(lookup.out()).startsWith(Lab.SERVER_IPV4);
                assertAllQueriedThroughTunnel(name);
            }
        }
        for (String cluster : List.of("kubernetes", "kubernetes.default", "web.dev.svc", "db-0.db.backend.svc")) {
            fixture.lab.node().attempt("getent", "ahostsv4", cluster);
        }

        assertThat(fixture.lab.internet().queries())
                .filteredOn(query -> query.sourceAddress().equals(Lab.NODE_IPV4)
                        && !query.name().startsWith("before."))
                .extracting(ReceivedQuery::name)
                .isNotEmpty()
                .contains(
                        "kubernetes.default.svc.cluster.local.",
                        "web.dev.svc.cluster.local.",
                        "db-0.db.backend.svc.cluster.local.")
                .allSatisfy(name -> assertThat(name).doesNotContain("secret"));
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void a_search_list_causes_no_queries_outside_the_tunnel() {
        fixture.lab
                .node()
                .resolvConf("nameserver " + Lab.RESOLVER_IPV4
                        + "\nsearch apps.svc.corp.test svc.corp.test corp.test dns.podman\n");
        assertThat(fixture.observer.sees(
                        () -> fixture.node.resolve(Lab.RESOLVER_IPV4, "before.apps.svc.corp.test", Family.IPV4)))
                .isTrue();
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        fixture.observer.reset();

        for (String name : List.of("db.apps.svc.corp.test", "x.svc.corp.test", "secret.corp.test", "db.dns.podman")) {
            fixture.namespace().attempt("dig", "+tries=1", "+time=3", "@127.0.0.1", name, "A");
            assertAllQueriedThroughTunnel(name);
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void a_resolv_conf_written_by_another_container_is_not_trusted_after_a_crash() throws IOException {
        String original = fixture.lab.node().resolvConf();
        fixture.configureEndpoint("provider0.example:" + Provider.PORT);
        fixture.observer.allow(
                "bootstrap DNS queries", packet -> packet.destinationPort() == 53 && packet.isTo(Lab.ROUTER_IPV4));
        RunningProgram killed = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        killed.signal("KILL");
        killed.awaitExit(ExitNodeFixture.TIMEOUT);
        fixture.lab.node().resolvConf(fixture.lab.node().resolvConf().replace(Lab.ROUTER_IPV4, Lab.RESOLVER_IPV4));

        // As in a restarted container, whose /run has what the first start kept.
        killed = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        killed.signal("KILL");
        killed.awaitExit(ExitNodeFixture.TIMEOUT);
        // As in a pod, where only resolv.conf outlives the container.
        Files.delete(fixture.lab.node().run().resolve("culvert/resolv.conf"));
        String culvertsResolvConf = fixture.lab.node().resolvConf();
        fixture.lab.node().resolvConf(culvertsResolvConf.replace(Lab.ROUTER_IPV4, Lab.RESOLVER_IPV4));
        RunningProgram refusing = fixture.start(ExitNodeFixture.withoutMesh(Map.of()));
        refusing.awaitLine(
                "cannot be verified; of its nameservers, only those in local networks are used \\(none\\)",
                ExitNodeFixture.TIMEOUT);
        refusing.awaitLine("provider0.example does not resolve", ExitNodeFixture.TIMEOUT);
        refusing.signal("KILL");
        refusing.awaitExit(ExitNodeFixture.TIMEOUT);
        assertThat(fixture.observer.leaks()).isEmpty();

        fixture.lab.node().resolvConf(culvertsResolvConf);
        RunningProgram sealed = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        sealed.signal("TERM");
        sealed.awaitExit(ExitNodeFixture.TIMEOUT);
        assertThat(fixture.lab.node().resolvConf()).isEqualTo(original);
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void a_forged_answer_on_the_local_network_opens_no_bypass_once_the_tunnel_is_up() {
        String lie = "198.51.100.21";
        LabNamespace internet = fixture.lab.internet().namespace();
        internet.ip("address add " + lie + "/32 dev lo");
        ExitNodeFixture.serve(internet, 8000);
        fixture.lab
                .lanHost()
                .start("python3", "-u", "-c", """
                import socket
                asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                asked.bind(('%s', 53)); print('serving')
                while True:
                    query, who = asked.recvfrom(4096)
                    end = query.index(b'\\0', 12) + 5
                    address = b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4' + socket.inet_aton('%s')
                    asked.sendto(query[:2] + b'\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0' + query[12:end] + address, who)
                """.formatted(Lab.LAN_HOST_IPV4, lie))
                .awaitLine("serving", ExitNodeFixture.TIMEOUT);
        fixture.lab.node().resolvConf("nameserver " + Lab.LAN_HOST_IPV4 + "\n");
        fixture.verifyObserverDetectsLeaks(Family.values());
        fixture.observer.allow("bootstrap DNS queries", packet -> packet.destinationPort() == 53);
        fixture.observer.allow(
                "the bypass", packet -> packet.isTo(Lab.SERVER_IPV4) && packet.destinationPort() == 8000);
        RunningProgram culvert =
                fixture.connect(ExitNodeFixture.withoutMesh(Map.of("CULVERT_BYPASS", "web.example:8000/tcp")));
        culvert.awaitLine(
                "198.51.100.21: removed from the bypasses, as the DNS servers of the tunnel do not confirm it",
                ExitNodeFixture.TIMEOUT);
        culvert.awaitLine("kill switch: updated: ip -4 rule add .*" + Lab.SERVER_IPV4, ExitNodeFixture.TIMEOUT);

        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.namespace(), Lab.SERVER_IPV4, 8000))
                .isEqualTo(Lab.NODE_IPV4);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.namespace(), lie, 8000))
                .isEqualTo(fixture.provider(Family.IPV4));
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    /**
     * As over a satellite link or with an overloaded home router: each query is answered only when it was sent four
     * times.
     */
    @Test
    void a_late_answer_of_a_slow_resolver_is_accepted() {
        fixture.lab
                .lanHost()
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
                                Lab.LAN_HOST_IPV4, fixture.lab.provider().publicIpv4()))
                .awaitLine("serving", ExitNodeFixture.TIMEOUT);
        fixture.lab.node().resolvConf("nameserver " + Lab.LAN_HOST_IPV4 + "\n");
        fixture.configureEndpoint("provider0.example:" + Provider.PORT);
        fixture.observer.allow("bootstrap DNS queries", packet -> packet.destinationPort() == 53);

        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));

        assertThat(culvert.output()).doesNotContain("does not resolve");
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @Test
    void traffic_is_blocked_until_the_server_s_name_resolves() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        silenceContainerResolver();
        fixture.configureEndpoint("provider0.example:" + Provider.PORT);
        fixture.observer.allow("bootstrap DNS queries", packet -> packet.destinationPort() == 53);
        RunningProgram culvert = fixture.start(ExitNodeFixture.withoutMesh(Map.of()));
        culvert.awaitLine("provider0.example does not resolve; retrying", ExitNodeFixture.TIMEOUT);

        fixture.assertLocalTrafficBlocked(Family.values());
        // Blocked, once all addresses of all servers have failed.
        assertThat(fixture.status().state().toString()).isIn("connecting", "blocked");
        assertThat(fixture.status().server()).contains("not resolved");

        fixture.lab.router().nft("delete table inet mute");
        culvert.awaitLine("dns: provider0.example resolved", ExitNodeFixture.TIMEOUT);
        // A name is used as soon as it has an address: the query for the other family may have been lost before.
        culvert.awaitLine("tunnel: connected to (203\\.0\\.113\\.10|\\[2001:db8:)", ExitNodeFixture.TIMEOUT);

        fixture.assertLocalTrafficUsesTunnel(Family.values());
        // Queried by the node itself only: other queries go through the tunnel.
        assertThat(queriesFor("provider0.example"))
                .isNotEmpty()
                .allSatisfy(query -> assertThat(query.sourceAddress()).isEqualTo(Lab.NODE_IPV4));
        assertThat(fixture.node.resolve(Lab.ROUTER_IPV4, "provider0.example", Family.IPV4))
                .containsExactly("203.0.113.10");
        assertThat(queriesFor("provider0.example").getLast().sourceAddress()).isEqualTo(fixture.provider(Family.IPV4));
    }

    @Test
    void a_stop_is_quick_while_the_server_s_name_does_not_resolve() {
        silenceContainerResolver();
        fixture.configureEndpoint("provider0.example:" + Provider.PORT);
        String resolvConf = fixture.lab.node().resolvConf();
        fixture.observer.allow("bootstrap DNS queries", packet -> packet.destinationPort() == 53);
        RunningProgram culvert = fixture.start(ExitNodeFixture.withoutMesh(Map.of()));
        culvert.awaitLine("waiting for .* provider.conf", ExitNodeFixture.TIMEOUT);

        culvert.signal("TERM");

        assertThat(culvert.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
        assertThat(culvert.output()).contains("received SIGTERM").endsWith("stopped");
        assertThat(fixture.lab.node().resolvConf()).isEqualTo(resolvConf);
        fixture.assertLocalTrafficBlocked(Family.values());
    }
}
