// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import io.culvert.linux.NetworkNamespace;
import io.culvert.linux.TwoUplinks;
import io.culvert.net.Prefix;
import io.culvert.settings.AccountName;
import io.culvert.settings.Login;
import io.culvert.settings.Password;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.Writer;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real Dante between two uplinks; every server responds with the client address that it sees. */
@NamespaceTest
class DanteLabTest {

    private static final List<Prefix> CLIENTS =
            List.of(Prefix.parse("100.64.0.0/10"), Prefix.parse("127.0.0.0/8"), Prefix.parse("::1/128"));

    private static final int SERVICE = 8000;
    private static final List<Prefix> LAN = List.of(Prefix.parse("192.0.2.0/24"), Prefix.parse("10.64.0.2/32"));

    private final List<AutoCloseable> opened = new ArrayList<>();

    @TempDir
    Path directory;

    private TwoUplinks lab;

    @BeforeEach
    void build() throws Exception {
        lab = new TwoUplinks();
        for (String namespace : List.of(lab.provider(), lab.lan(), lab.box())) {
            NetworkNamespace.named(namespace).call(this::serve);
        }
    }

    @AfterEach
    void clear() throws Exception {
        for (AutoCloseable each : opened.reversed()) {
            each.close();
        }
        lab.close();
    }

    @Test
    void both_families_leave_through_the_tunnel_with_its_addresses() throws Exception {
        start(Optional.empty());

        assertThat(curl("127.0.0.1:1080", "198.51.100.53")).isEqualTo("10.64.0.2");
        assertThat(curl("[::1]:1080", "[2001:db8:1::53]")).isEqualTo("fd64:0:0:0:0:0:0:2");
        assertThat(curl("127.0.0.1:1080", "[2001:db8:1::53]")).isEqualTo("fd64:0:0:0:0:0:0:2");
    }

    @Test
    void UDP_leaves_through_the_tunnel_and_replies_return() throws Exception {
        start(Optional.empty());

        assertThat(NetworkNamespace.named(lab.box()).call(() -> associate("198.51.100.53")))
                .isEqualTo("10.64.0.2");
    }

    @Test
    void this_machine_and_the_lan_are_unreachable() throws Exception {
        openLan();
        start(Optional.empty());

        for (String target : List.of("127.0.0.1", "0.0.0.0", "[::1]", "192.0.2.53", "10.64.0.2", "localhost")) {
            assertThat(curl("127.0.0.1:1080", target)).as(target).contains("exit status 97");
        }
    }

    @Test
    void a_client_from_another_network_is_rejected() throws Exception {
        lab.in(lab.lan(), "addr add 203.0.113.5/32 dev far");
        lab.in(lab.box(), "route add 203.0.113.5 dev eth0");
        lab.in(lab.box(), "rule add ipproto tcp sport 1080 table main pref 5191");
        start(Optional.empty());

        assertThat(lab.run(
                        lab.lan(),
                        "curl",
                        "-sm5",
                        "--interface",
                        "203.0.113.5",
                        "--socks5",
                        "192.0.2.10:1080",
                        "http://198.51.100.53:8000/"))
                .contains("exit status 97");
    }

    @Test
    void without_a_route_in_the_tunnel_a_session_fails() throws Exception {
        start(Optional.empty());
        lab.in(lab.box(), "route del default dev wg0 table 51820");
        lab.in(lab.lan(), "addr add 198.51.100.53/32 dev far");

        assertThat(curl("127.0.0.1:1080", "198.51.100.53")).contains("exit status 97");
    }

    @Test
    void without_the_tunnel_the_proxy_does_not_start() throws Exception {
        lab.in(lab.box(), "link del wg0");
        Process process = launch(new Dante(Path.of("/"), directory).prepare(settings(Optional.empty())));

        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isNotZero();
    }

    @Test
    void the_user_s_own_file_is_used() throws Exception {
        SockdFile own = SockdFile.check(Path.of("sockd.conf"), """
                logoutput: stdout
                internal.protocol: ipv4
                internal: lo port=3128
                external.protocol: ipv4 ipv6
                external: TSWG_DANTE_EXTERNAL
                socksmethod: none
                clientmethod: none
                client pass { from: 0/0 to: 0/0 }
                socks pass { from: 0/0 to: 0/0 }
                """, "wg0", List.of(), 1080);
        awaitReady(new Dante(Path.of("/"), directory).prepare(own));

        assertThat(curl("127.0.0.1:3128", "198.51.100.53")).isEqualTo("10.64.0.2");
        // It blocks nothing, so destinations blocked by Culvert's configuration are reached here: the control of the
        // test above.
        openLan();
        assertThat(curl("127.0.0.1:3128", "127.0.0.1")).isEqualTo("10.64.0.2");
        assertThat(curl("127.0.0.1:3128", "192.0.2.53")).isEqualTo("10.64.0.2");
    }

    @Test
    void with_a_login_the_password_is_required() throws Exception {
        Login login = new Login(new AccountName("culvert-lab"), Password.parse("sesame"));
        Path root = Files.createDirectories(directory.resolve("root"));
        Path shadow = Files.createDirectories(root.resolve("etc")).resolve("shadow");
        Files.createDirectories(root.resolve("usr/sbin"));
        Files.copy(Path.of("/usr/sbin/danted"), root.resolve("usr/sbin/danted"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.writeString(shadow, "root:*:19000:0:99999:7:::\n");
        ProxyProgram program = new Dante(root, directory).prepare(settings(Optional.of(login)));
        // Dante reads the system's file, which is replaced by Culvert's in a mount namespace.
        List<String> command = new ArrayList<>(List.of(
                "unshare", "-m", "sh", "-c", "mount --bind \"$0\" /etc/shadow && exec \"$@\"", shadow.toString()));
        command.add(program.program().toString());
        command.addAll(program.args());
        awaitReady(program, lab.start(lab.box(), command.toArray(String[]::new)));

        assertThat(curl("culvert-lab:sesame@127.0.0.1:1080", "198.51.100.53")).isEqualTo("10.64.0.2");
        assertThat(curl("culvert-lab:wrong@127.0.0.1:1080", "198.51.100.53")).contains("exit status 97");
        assertThat(curl("127.0.0.1:1080", "198.51.100.53")).contains("exit status 97");
    }

    /** Lets local programs reach the LAN outside of the tunnel, as CULVERT_LAN_ALLOW does. */
    private void openLan() throws IOException {
        lab.in(lab.box(), "rule add to 192.0.2.0/24 table main pref 5320");
        lab.in(lab.lan(), "route add 10.64.0.2 via 192.0.2.10");
    }

    private static DanteSettings settings(Optional<Login> login) {
        return new DanteSettings(1080, "wg0", true, CLIENTS, LAN, List.of(), Optional.empty(), login);
    }

    private void start(Optional<Login> login) throws IOException {
        awaitReady(new Dante(Path.of("/"), directory).prepare(settings(login)));
    }

    private Process launch(ProxyProgram program) throws IOException {
        List<String> command = new ArrayList<>(List.of(program.program().toString()));
        command.addAll(program.args());
        return lab.start(lab.box(), command.toArray(String[]::new));
    }

    private void awaitReady(ProxyProgram program) throws IOException {
        awaitReady(program, launch(program));
    }

    private void awaitReady(ProxyProgram program, Process process) throws IOException {
        opened.add(() -> {
            process.destroy();
            process.waitFor();
        });
        BufferedReader log = process.inputReader(StandardCharsets.UTF_8);
        StringBuilder output = new StringBuilder();
        for (String line = log.readLine(); line != null; line = log.readLine()) {
            output.append(line).append('\n');
            if (line.contains(program.readyText().orElseThrow())) {
                Thread.ofPlatform().daemon().start(() -> drain(log));
                return;
            }
        }
        throw new IOException("Dante ended: " + output);
    }

    /** Reads the output of a child, which would block if its pipe were full. */
    private static void drain(BufferedReader log) {
        try (log) {
            log.transferTo(Writer.nullWriter());
        } catch (IOException _) {
            // The child has exited.
        }
    }

    private String curl(String proxy, String target) throws IOException {
        String option = target.equals("localhost") ? "--socks5-hostname" : "--socks5";
        return lab.run(lab.box(), "curl", "-gsm10", option, proxy, "http://" + target + ":" + SERVICE + "/");
    }

    /** Uses UDP ASSOCIATE (RFC 1928 section 7) and returns the client address that the echo server reports. */
    private static String associate(String target) throws IOException {
        try (Socket control = new Socket(InetAddress.ofLiteral("127.0.0.1"), 1080);
                DatagramSocket socket =
                        new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0))) {
            control.setSoTimeout(10_000);
            socket.setSoTimeout(10_000);
            DataInputStream in = new DataInputStream(control.getInputStream());
            control.getOutputStream().write(new byte[] {5, 1, 0});
            assertThat(in.readNBytes(2)).containsExactly(5, 0);
            control.getOutputStream().write(new byte[] {5, 3, 0, 1, 0, 0, 0, 0, 0, 0});
            assertThat(in.readNBytes(4)).startsWith(5, 0);
            InetSocketAddress relay =
                    new InetSocketAddress(InetAddress.getByAddress(in.readNBytes(4)), in.readUnsignedShort());
            byte[] request = ByteBuffer.allocate(14)
                    .put(new byte[] {0, 0, 0, 1})
                    .put(InetAddress.ofLiteral(target).getAddress())
                    .putShort((short) SERVICE)
                    .putInt(0)
                    .array();
            socket.send(new DatagramPacket(request, request.length, relay));
            DatagramPacket reply = new DatagramPacket(new byte[1500], 1500);
            socket.receive(reply);
            return new String(Arrays.copyOfRange(reply.getData(), 10, reply.getLength()), StandardCharsets.US_ASCII);
        }
    }

    /** Responds on TCP and UDP with the client's address. */
    private Void serve() throws IOException {
        ServerSocket tcp = new ServerSocket(SERVICE);
        DatagramSocket udp = new DatagramSocket(SERVICE);
        opened.add(tcp);
        opened.add(udp);
        Thread.ofPlatform().daemon().start(() -> {
            while (!tcp.isClosed()) {
                try (Socket socket = tcp.accept()) {
                    String body = socket.getInetAddress().getHostAddress();
                    socket.getInputStream().read(new byte[4096]);
                    socket.getOutputStream()
                            .write(("HTTP/1.0 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                                    .getBytes(StandardCharsets.US_ASCII));
                } catch (IOException _) {
                    // Closed, or the client has disconnected.
                }
            }
        });
        Thread.ofPlatform().daemon().start(() -> {
            DatagramPacket packet = new DatagramPacket(new byte[1500], 1500);
            try {
                while (true) {
                    udp.receive(packet);
                    byte[] body = packet.getAddress().getHostAddress().getBytes(StandardCharsets.US_ASCII);
                    udp.send(new DatagramPacket(body, body.length, packet.getSocketAddress()));
                }
            } catch (IOException _) {
                // Closed.
            }
        });
        return null;
    }
}
