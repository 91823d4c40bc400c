// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Egress;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

class DnsStubTest {

    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    private final AtomicLong seconds = new AtomicLong();
    private final DnsStub stub = new DnsStub(
            new Timeouts(Duration.ofSeconds(10), Duration.ofSeconds(20)),
            () -> TimeUnit.SECONDS.toNanos(seconds.get()));
    private final InetSocketAddress address = stub.listen(ANY_PORT);

    @AfterEach
    void close() {
        stub.close();
    }

    @Test
    void an_answer_has_the_id_of_the_query_and_is_cached_for_its_TTL() throws IOException {
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.always("www.example.net. 60 A 192.0.2.80"))) {
            stub.useUpstreams(upstreams(server), List.of());

            assertThat(answers(queryByUdp("www.example.net.", Type.A))).containsExactly("60 192.0.2.80");
            seconds.set(40);
            assertThat(answers(queryByTcp("www.example.net.", Type.A))).containsExactly("20 192.0.2.80");
            assertThat(server.queries()).hasSize(1);
            seconds.set(60);
            assertThat(answers(queryByUdp("www.example.net.", Type.A))).containsExactly("60 192.0.2.80");
            assertThat(server.queries()).hasSize(2);
        }
    }

    @Test
    void changing_the_upstream_servers_clears_the_cache() throws IOException {
        try (ScriptedServer one = new ScriptedServer(ScriptedServer.always("www.example.net. 60 A 192.0.2.1"));
                ScriptedServer two = new ScriptedServer(ScriptedServer.always("www.example.net. 60 A 192.0.2.2"))) {
            stub.useUpstreams(upstreams(one), List.of());
            assertThat(answers(queryByUdp("www.example.net.", Type.A))).containsExactly("60 192.0.2.1");
            stub.useUpstreams(upstreams(two), List.of());
            assertThat(answers(queryByUdp("www.example.net.", Type.A))).containsExactly("60 192.0.2.2");
        }
    }

    @Test
    void a_route_sends_queries_to_its_servers_and_the_longest_suffix_wins() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(ScriptedServer.always());
                ScriptedServer mesh = new ScriptedServer(ScriptedServer.always());
                ScriptedServer lab = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(
                    upstreams(tunnel),
                    List.of(
                            new DnsRoute.Suffix("mesh.example", upstreams(mesh)),
                            new DnsRoute.Suffix("lab.mesh.example.", upstreams(lab))));

            queryByUdp("www.example.net.", Type.A);
            queryByUdp("node.MESH.example.", Type.A);
            queryByUdp("node.lab.mesh.example.", Type.A);
            queryByUdp("notmesh.example.", Type.A);

            assertThat(tunnel.queries()).containsExactly("udp www.example.net.", "udp notmesh.example.");
            assertThat(mesh.queries()).containsExactly("udp node.MESH.example.");
            assertThat(lab.queries()).containsExactly("udp node.lab.mesh.example.");
        }
    }

    @Test
    void single_label_names_go_to_the_container_engine_unless_a_suffix_matches() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(ScriptedServer.always());
                ScriptedServer engine = new ScriptedServer(ScriptedServer.always());
                ScriptedServer mesh = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(
                    upstreams(tunnel),
                    List.of(new DnsRoute.Unqualified(upstreams(engine)), new DnsRoute.Suffix("mesh", upstreams(mesh))));

            queryByUdp("db.", Type.A);
            queryByUdp("db.example.", Type.A);
            queryByUdp(".", Type.NS);
            queryByUdp("mesh.", Type.A);

            assertThat(engine.queries()).containsExactly("udp db.");
            assertThat(tunnel.queries()).containsExactly("udp db.example.", "udp .");
            assertThat(mesh.queries()).containsExactly("udp mesh.");
        }
    }

    @Test
    void an_exact_route_does_not_match_names_below_it() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(ScriptedServer.always());
                ScriptedServer runtime = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(upstreams(tunnel), List.of(new DnsRoute.ExactName("hs.example.net", upstreams(runtime))));

            queryByUdp("HS.example.net.", Type.A);
            queryByUdp("secret.hs.example.net.", Type.A);
            queryByUdp("example.net.", Type.A);

            assertThat(runtime.queries()).containsExactly("udp HS.example.net.");
            assertThat(tunnel.queries()).containsExactly("udp secret.hs.example.net.", "udp example.net.");
        }
    }

    @Test
    void container_names_have_one_label() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(ScriptedServer.always());
                ScriptedServer engine = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(upstreams(tunnel), List.of(new DnsRoute.Containers("dns.podman", upstreams(engine))));

            assertThat(queryByUdp("db.dns.podman.", Type.A).getRcode()).isEqualTo(Rcode.NOERROR);
            assertThat(queryByUdp("secret.example.org.dns.podman.", Type.A).getRcode())
                    .isEqualTo(Rcode.NXDOMAIN);
            assertThat(queryByUdp("example.org.dns.podman.", Type.A).getRcode()).isEqualTo(Rcode.NXDOMAIN);
            assertThat(queryByUdp("dns.podman.", Type.A).getRcode()).isEqualTo(Rcode.NOERROR);

            assertThat(engine.queries()).containsExactly("udp db.dns.podman.");
            assertThat(tunnel.queries()).isEmpty();
        }
    }

    @Test
    void a_name_known_to_the_tunnels_servers_is_not_sent_to_the_cluster() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(query -> List.of(
                        query.getQuestion().getName().toString().startsWith("nas.home")
                                ? ScriptedServer.answer(query, "nas.home. 60 A 192.0.2.7")
                                : absent(query)));
                ScriptedServer cluster = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(
                    upstreams(tunnel),
                    List.of(new DnsRoute.Cluster(
                            "cluster.local",
                            List.of("vpn.svc.cluster.local", "svc.cluster.local", "cluster.local"),
                            upstreams(cluster))));

            assertThat(queryByUdp("nas.home.svc.cluster.local.", Type.A).getRcode())
                    .isEqualTo(Rcode.NXDOMAIN);
            assertThat(queryByUdp("db.backend.svc.cluster.local.", Type.A).getRcode())
                    .isEqualTo(Rcode.NOERROR);

            assertThat(cluster.queries()).containsExactly("udp db.backend.svc.cluster.local.");
            assertThat(tunnel.queries()).containsExactly("udp nas.home.", "udp db.backend.");
        }
    }

    @Test
    void a_query_forwarded_back_by_the_container_engine_is_not_sent_to_it_again() throws IOException {
        for (boolean sameId : new boolean[] {true, false}) {
            try (ScriptedServer tunnel = new ScriptedServer(query -> List.of(absent(query)));
                    ScriptedServer engine = new ScriptedServer(query -> List.of(forwarded(query, sameId)))) {
                stub.useUpstreams(upstreams(tunnel), List.of(new DnsRoute.Unqualified(upstreams(engine))));

                assertThat(queryByUdp("nowhere.", Type.A).getRcode()).isEqualTo(Rcode.NXDOMAIN);

                assertThat(engine.queries()).containsExactly("udp nowhere.");
                assertThat(tunnel.queries()).containsExactly("udp nowhere.");
            }
        }
    }

    @Test
    void only_address_queries_go_to_the_container_engine() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(ScriptedServer.always());
                ScriptedServer engine = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(upstreams(tunnel), List.of(new DnsRoute.Unqualified(upstreams(engine))));

            queryByUdp("com.", Type.NS);
            queryByUdp("db.", Type.AAAA);

            assertThat(tunnel.queries()).containsExactly("udp com.");
            assertThat(engine.queries()).containsExactly("udp db.");
        }
    }

    @Test
    void a_label_that_contains_a_dot_is_not_a_container_name() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(ScriptedServer.always());
                ScriptedServer engine = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(
                    upstreams(tunnel),
                    List.of(
                            new DnsRoute.Unqualified(upstreams(engine)),
                            new DnsRoute.Containers("dns.podman", upstreams(engine))));

            queryByUdp("secret\\.example\\.org.", Type.A);
            queryByUdp("secret\\000.", Type.A);
            queryByUdp("secret\\.example\\.org.dns.podman.", Type.A);
            queryByUdp("-secret.dns.podman.", Type.A);

            assertThat(engine.queries()).isEmpty();
            assertThat(tunnel.queries()).containsExactly("udp secret\\.example\\.org.", "udp secret\\000.");
        }
    }

    @Test
    void an_internal_error_is_a_SERVFAIL_and_keeps_the_connection_open() throws IOException {
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.always())) {
            DnsStub broken = new DnsStub(Timeouts.DEFAULT, () -> {
                throw new IllegalStateException("no clock");
            });
            try (broken) {
                broken.useUpstreams(
                        upstreams(server),
                        List.of(new DnsRoute.Cluster("cluster.local", List.of(), upstreams(server))));
                InetSocketAddress stubAddress = broken.listen(ANY_PORT);
                for (int i = 0; i < 3; i++) {
                    assertThat(overTcp(query("a.b.svc.cluster.local.", Type.A), stubAddress)
                                    .getRcode())
                            .isEqualTo(Rcode.SERVFAIL);
                }
            }
        }
    }

    /**
     * Imitates Docker's resolver for a name that it does not know: it queries the server to which the container's port
     * 53 leads.
     */
    private Message forwarded(Message query, boolean sameId) {
        try {
            Message again = new Message(query.toWire());
            if (!sameId) {
                again.getHeader().setID(query.getHeader().getID() ^ 1);
            }
            Message answer = overUdp(again);
            answer.getHeader().setID(query.getHeader().getID());
            return answer;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Message absent(Message query) {
        Message answer = ScriptedServer.answer(query);
        answer.getHeader().setRcode(Rcode.NXDOMAIN);
        return answer;
    }

    @Test
    void without_servers_the_response_is_SERVFAIL_with_a_reason() throws IOException {
        Message query = new DnsQuery(Name.fromString("www.example.net."), Type.A, true, false, false).message(7);

        Message answer = overUdp(query);

        assertThat(answer.getRcode()).isEqualTo(Rcode.SERVFAIL);
        assertThat(answer.getOPT().getOptions()).singleElement().satisfies(option -> {
            ExtendedErrorCodeOption reason = (ExtendedErrorCodeOption) option;
            assertThat(reason.getErrorCode()).isEqualTo(ExtendedErrorCodeOption.NOT_READY);
            assertThat(reason.getText()).isEqualTo("no DNS server is configured");
        });
    }

    @Test
    void localhost_is_answered_locally() throws IOException {
        assertThat(answers(queryByUdp("localhost.", Type.A))).containsExactly("3600 127.0.0.1");
        assertThat(answers(queryByUdp("my.localhost.", Type.AAAA))).containsExactly("3600 0:0:0:0:0:0:0:1");
        Message mail = queryByUdp("localhost.", Type.MX);
        assertThat(mail.getRcode()).isEqualTo(Rcode.NOERROR);
        assertThat(answers(mail)).isEmpty();
    }

    @Test
    void an_answer_too_long_for_the_client_is_truncated_over_UDP_and_complete_over_TCP() throws IOException {
        String[] many = IntStream.range(1, 100)
                .mapToObj(i -> "www.example.net. 60 A 192.0.2." + i)
                .toArray(String[]::new);
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.always(many))) {
            stub.useUpstreams(upstreams(server), List.of());

            Message cut = queryByUdp("www.example.net.", Type.A);
            assertThat(cut.getHeader().getFlag(Flags.TC)).isTrue();
            assertThat(cut.numBytes()).isLessThanOrEqualTo(512);
            assertThat(answers(queryByTcp("www.example.net.", Type.A))).hasSize(99);
        }
    }

    @Test
    void a_dead_server_causes_SERVFAIL_and_no_query_elsewhere() throws IOException {
        ScriptedServer deadServer = new ScriptedServer(ScriptedServer.timeout());
        stub.useUpstreams(upstreams(deadServer), List.of());
        deadServer.close();

        assertThat(queryByUdp("www.example.net.", Type.A).getRcode()).isEqualTo(Rcode.SERVFAIL);
    }

    @Test
    void an_address_in_use_is_reported_as_a_problem() {
        assertThatThrownBy(() -> stub.listen(address))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("cannot listen on 127.0.0.1 port " + address.getPort());
    }

    @Test
    void the_stub_listens_until_it_is_closed() {
        assertThat(stub.isListening(address.getAddress())).isTrue();
        stub.close();
        assertThat(stub.isListening(address.getAddress())).isFalse();
    }

    private static Upstreams upstreams(ScriptedServer server) {
        return new Upstreams(List.of(server.address()), Egress.ANY);
    }

    private Message queryByUdp(String name, int type) throws IOException {
        return overUdp(query(name, type));
    }

    private Message overUdp(Message query) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout(30_000);
            byte[] wire = query.toWire();
            socket.send(new DatagramPacket(wire, wire.length, address));
            DatagramPacket packet = new DatagramPacket(new byte[65535], 65535);
            socket.receive(packet);
            return checked(query, Arrays.copyOf(packet.getData(), packet.getLength()));
        }
    }

    private Message queryByTcp(String name, int type) throws IOException {
        return overTcp(query(name, type), address);
    }

    private static Message overTcp(Message query, InetSocketAddress server) throws IOException {
        try (Socket socket = new Socket(server.getAddress(), server.getPort())) {
            socket.setSoTimeout(30_000);
            byte[] wire = query.toWire();
            socket.getOutputStream()
                    .write(ByteBuffer.allocate(2 + wire.length)
                            .putShort((short) wire.length)
                            .put(wire)
                            .array());
            DataInputStream in = new DataInputStream(socket.getInputStream());
            return checked(query, in.readNBytes(in.readUnsignedShort()));
        }
    }

    private static Message query(String name, int type) throws TextParseException {
        return DnsQuery.plain(Name.fromString(name), type).message(4711);
    }

    private static Message checked(Message query, byte[] wire) throws IOException {
        Message answer = new Message(wire);
        assertThat(answer.getHeader().getID()).isEqualTo(query.getHeader().getID());
        assertThat(answer.getQuestion()).isEqualTo(query.getQuestion());
        assertThat(answer.getHeader().getFlag(Flags.QR)).isTrue();
        return answer;
    }

    private static List<String> answers(Message message) {
        return message.getSection(Section.ANSWER).stream()
                .map(DnsStubTest::text)
                .toList();
    }

    private static String text(Record record) {
        return record.getTTL() + " " + record.rdataToString();
    }
}
