package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.linux.Egress;
import io.culvert.problem.ProblemException;
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
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
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

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class DnsStubTest {

    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    private final AtomicLong seconds = new AtomicLong();
    private final DnsStub stub = new DnsStub(
            new Patience(Duration.ofSeconds(10), Duration.ofSeconds(20)),
            () -> TimeUnit.SECONDS.toNanos(seconds.get()));
    private final InetSocketAddress address = stub.listen(ANY_PORT);

    @AfterEach
    void close() {
        stub.close();
    }

    @Test
    void an_answer_is_passed_on_under_the_askers_id_and_kept_for_its_time() throws IOException {
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.always("www.example.net. 60 A 192.0.2.80"))) {
            stub.useUpstreams(to(server), List.of());

            assertThat(answers(askByUdp("www.example.net.", Type.A))).containsExactly("60 192.0.2.80");
            seconds.set(40);
            assertThat(answers(askByTcp("www.example.net.", Type.A))).containsExactly("20 192.0.2.80");
            assertThat(server.asked()).hasSize(1);
            seconds.set(60);
            assertThat(answers(askByUdp("www.example.net.", Type.A))).containsExactly("60 192.0.2.80");
            assertThat(server.asked()).hasSize(2);
        }
    }

    @Test
    void other_servers_begin_with_nothing_kept() throws IOException {
        try (ScriptedServer one = new ScriptedServer(ScriptedServer.always("www.example.net. 60 A 192.0.2.1"));
                ScriptedServer two = new ScriptedServer(ScriptedServer.always("www.example.net. 60 A 192.0.2.2"))) {
            stub.useUpstreams(to(one), List.of());
            assertThat(answers(askByUdp("www.example.net.", Type.A))).containsExactly("60 192.0.2.1");
            stub.useUpstreams(to(two), List.of());
            assertThat(answers(askByUdp("www.example.net.", Type.A))).containsExactly("60 192.0.2.2");
        }
    }

    @Test
    void names_of_a_route_go_to_its_servers_and_the_longest_suffix_counts() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(ScriptedServer.always());
                ScriptedServer mesh = new ScriptedServer(ScriptedServer.always());
                ScriptedServer lab = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(
                    to(tunnel),
                    List.of(
                            new DnsRoute.Below("mesh.example", to(mesh)),
                            new DnsRoute.Below("lab.mesh.example.", to(lab))));

            askByUdp("www.example.net.", Type.A);
            askByUdp("node.MESH.example.", Type.A);
            askByUdp("node.lab.mesh.example.", Type.A);
            askByUdp("notmesh.example.", Type.A);

            assertThat(tunnel.asked()).containsExactly("udp www.example.net.", "udp notmesh.example.");
            assertThat(mesh.asked()).containsExactly("udp node.MESH.example.");
            assertThat(lab.asked()).containsExactly("udp node.lab.mesh.example.");
        }
    }

    @Test
    void names_without_a_dot_go_to_who_knows_other_containers_unless_a_suffix_is_meant() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(ScriptedServer.always());
                ScriptedServer engine = new ScriptedServer(ScriptedServer.always());
                ScriptedServer mesh = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(
                    to(tunnel), List.of(new DnsRoute.Unqualified(to(engine)), new DnsRoute.Below("mesh", to(mesh))));

            askByUdp("db.", Type.A);
            askByUdp("db.example.", Type.A);
            askByUdp(".", Type.NS);
            askByUdp("mesh.", Type.A);

            assertThat(engine.asked()).containsExactly("udp db.");
            assertThat(tunnel.asked()).containsExactly("udp db.example.", "udp .");
            assertThat(mesh.asked()).containsExactly("udp mesh.");
        }
    }

    @Test
    void one_name_is_asked_elsewhere_and_those_below_it_are_not() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(ScriptedServer.always());
                ScriptedServer runtime = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(to(tunnel), List.of(new DnsRoute.Exactly("hs.example.net", to(runtime))));

            askByUdp("HS.example.net.", Type.A);
            askByUdp("secret.hs.example.net.", Type.A);
            askByUdp("example.net.", Type.A);

            assertThat(runtime.asked()).containsExactly("udp HS.example.net.");
            assertThat(tunnel.asked()).containsExactly("udp secret.hs.example.net.", "udp example.net.");
        }
    }

    @Test
    void names_of_containers_have_one_label() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(ScriptedServer.always());
                ScriptedServer engine = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(to(tunnel), List.of(new DnsRoute.Containers("dns.podman", to(engine))));

            assertThat(askByUdp("db.dns.podman.", Type.A).getRcode()).isEqualTo(Rcode.NOERROR);
            assertThat(askByUdp("secret.example.org.dns.podman.", Type.A).getRcode())
                    .isEqualTo(Rcode.NXDOMAIN);
            assertThat(askByUdp("example.org.dns.podman.", Type.A).getRcode()).isEqualTo(Rcode.NXDOMAIN);
            assertThat(askByUdp("dns.podman.", Type.A).getRcode()).isEqualTo(Rcode.NOERROR);

            assertThat(engine.asked()).containsExactly("udp db.dns.podman.");
            assertThat(tunnel.asked()).isEmpty();
        }
    }

    @Test
    void the_cluster_is_not_told_a_name_that_the_tunnel_s_servers_know() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(query -> List.of(
                        query.getQuestion().getName().toString().startsWith("nas.home")
                                ? ScriptedServer.answer(query, "nas.home. 60 A 192.0.2.7")
                                : absent(query)));
                ScriptedServer cluster = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(
                    to(tunnel),
                    List.of(new DnsRoute.Cluster(
                            "cluster.local",
                            List.of("vpn.svc.cluster.local", "svc.cluster.local", "cluster.local"),
                            to(cluster))));

            assertThat(askByUdp("nas.home.svc.cluster.local.", Type.A).getRcode())
                    .isEqualTo(Rcode.NXDOMAIN);
            assertThat(askByUdp("db.backend.svc.cluster.local.", Type.A).getRcode())
                    .isEqualTo(Rcode.NOERROR);

            assertThat(cluster.asked()).containsExactly("udp db.backend.svc.cluster.local.");
            assertThat(tunnel.asked()).containsExactly("udp nas.home.", "udp db.backend.");
        }
    }

    @Test
    void an_engine_that_forwards_to_us_what_it_does_not_know_is_not_asked_again() throws IOException {
        for (boolean sameId : new boolean[] {true, false}) {
            try (ScriptedServer tunnel = new ScriptedServer(query -> List.of(absent(query)));
                    ScriptedServer engine = new ScriptedServer(query -> List.of(forwarded(query, sameId)))) {
                stub.useUpstreams(to(tunnel), List.of(new DnsRoute.Unqualified(to(engine))));

                assertThat(askByUdp("nowhere.", Type.A).getRcode()).isEqualTo(Rcode.NXDOMAIN);

                assertThat(engine.asked()).containsExactly("udp nowhere.");
                assertThat(tunnel.asked()).containsExactly("udp nowhere.");
            }
        }
    }

    @Test
    void other_questions_than_for_addresses_are_not_the_engine_s() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(ScriptedServer.always());
                ScriptedServer engine = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(to(tunnel), List.of(new DnsRoute.Unqualified(to(engine))));

            askByUdp("com.", Type.NS);
            askByUdp("db.", Type.AAAA);

            assertThat(tunnel.asked()).containsExactly("udp com.");
            assertThat(engine.asked()).containsExactly("udp db.");
        }
    }

    @Test
    void a_label_with_a_dot_in_it_is_no_container_s_name() throws IOException {
        try (ScriptedServer tunnel = new ScriptedServer(ScriptedServer.always());
                ScriptedServer engine = new ScriptedServer(ScriptedServer.always())) {
            stub.useUpstreams(
                    to(tunnel),
                    List.of(new DnsRoute.Unqualified(to(engine)), new DnsRoute.Containers("dns.podman", to(engine))));

            askByUdp("secret\\.example\\.org.", Type.A);
            askByUdp("secret\\000.", Type.A);
            askByUdp("secret\\.example\\.org.dns.podman.", Type.A);
            askByUdp("-secret.dns.podman.", Type.A);

            assertThat(engine.asked()).isEmpty();
            assertThat(tunnel.asked()).containsExactly("udp secret\\.example\\.org.", "udp secret\\000.");
        }
    }

    @Test
    void a_fault_of_ours_is_a_failure_and_ends_no_connection() throws IOException {
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.always())) {
            DnsStub broken = new DnsStub(Patience.USUAL, () -> {
                throw new IllegalStateException("no clock");
            });
            try (broken) {
                broken.useUpstreams(to(server), List.of(new DnsRoute.Cluster("cluster.local", List.of(), to(server))));
                InetSocketAddress there = broken.listen(ANY_PORT);
                for (int i = 0; i < 3; i++) {
                    assertThat(overTcp(query("a.b.svc.cluster.local.", Type.A), there)
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
    void without_servers_it_fails_and_says_why() throws IOException {
        Message query = new Question(Name.fromString("www.example.net."), Type.A, true, false, false).query(7);

        Message answer = overUdp(query);

        assertThat(answer.getRcode()).isEqualTo(Rcode.SERVFAIL);
        assertThat(answer.getOPT().getOptions()).singleElement().satisfies(option -> {
            ExtendedErrorCodeOption reason = (ExtendedErrorCodeOption) option;
            assertThat(reason.getErrorCode()).isEqualTo(ExtendedErrorCodeOption.NOT_READY);
            assertThat(reason.getText()).isEqualTo("no DNS server is configured");
        });
    }

    @Test
    void localhost_is_answered_at_home() throws IOException {
        assertThat(answers(askByUdp("localhost.", Type.A))).containsExactly("3600 127.0.0.1");
        assertThat(answers(askByUdp("my.localhost.", Type.AAAA))).containsExactly("3600 0:0:0:0:0:0:0:1");
        Message mail = askByUdp("localhost.", Type.MX);
        assertThat(mail.getRcode()).isEqualTo(Rcode.NOERROR);
        assertThat(answers(mail)).isEmpty();
    }

    @Test
    void an_answer_too_long_for_the_asker_is_cut_and_whole_by_tcp() throws IOException {
        String[] many = IntStream.range(1, 100)
                .mapToObj(i -> "www.example.net. 60 A 192.0.2." + i)
                .toArray(String[]::new);
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.always(many))) {
            stub.useUpstreams(to(server), List.of());

            Message cut = askByUdp("www.example.net.", Type.A);
            assertThat(cut.getHeader().getFlag(Flags.TC)).isTrue();
            assertThat(cut.numBytes()).isLessThanOrEqualTo(512);
            assertThat(answers(askByTcp("www.example.net.", Type.A))).hasSize(99);
        }
    }

    @Test
    void a_dead_server_is_a_failure_not_another_way() throws IOException {
        ScriptedServer dead = new ScriptedServer(ScriptedServer.silence());
        stub.useUpstreams(to(dead), List.of());
        dead.close();

        assertThat(askByUdp("www.example.net.", Type.A).getRcode()).isEqualTo(Rcode.SERVFAIL);
    }

    @Test
    void an_address_that_is_taken_is_a_problem_for_people() {
        assertThatThrownBy(() -> stub.listen(address))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("cannot listen on 127.0.0.1 port " + address.getPort());
    }

    @Test
    void it_serves_until_it_is_closed() {
        assertThat(stub.isServing(address.getAddress())).isTrue();
        stub.close();
        assertThat(stub.isServing(address.getAddress())).isFalse();
    }

    private static Upstreams to(ScriptedServer server) {
        return new Upstreams(List.of(server.address()), Egress.ANY);
    }

    private Message askByUdp(String name, int type) throws IOException {
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

    private Message askByTcp(String name, int type) throws IOException {
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
        return Question.plain(Name.fromString(name), type).query(4711);
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
