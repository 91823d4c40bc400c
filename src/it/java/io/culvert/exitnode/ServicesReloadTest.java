// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.TcpTransfer;
import io.culvert.lab.WireGuardClient;
import io.culvert.net.Family;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Changes of the proxy's and the mesh's settings and files while the exit node runs. */
@NamespaceTest
class ServicesReloadTest {

    private static final int PORT = 1080;
    private static final int OTHER_PORT = 1081;

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
    private final Probe lanHost = Probe.from(fixture.lab.lanHost());
    private final String settings = fixture.lab.node().file("settings.env", "");

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private RunningProgram connect(Map<String, String> more) {
        Map<String, String> all = new HashMap<>(more);
        all.put("CULVERT_SETTINGS", settings);
        all.put("CULVERT_LOG", "debug");
        RunningProgram culvert = fixture.connect(all);
        culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);
        return culvert.ignoreEarlierOutput();
    }

    private CommandResult reload() {
        return fixture.run(Map.of(), "reload");
    }

    private static void awaitProxy(RunningProgram culvert) {
        culvert.awaitLine("dante: .*Dante/server.* running", ExitNodeFixture.TIMEOUT);
        culvert.ignoreEarlierOutput();
    }

    private Optional<String> addressByProxy(int port, String... options) {
        return lanHost.whoamiBySocks(Lab.NODE_IPV4, port, Family.IPV4, options);
    }

    private void assertNoLeakButToProxyClients() {
        fixture.observer.allow("the proxy's clients", packet -> packet.isTo(Lab.LAN_HOST_IPV4));
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void the_proxy_is_started_changed_and_stopped_while_other_connections_live() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        RunningProgram culvert = connect(ExitNodeFixture.withoutMesh(Map.of()));
        try (TcpTransfer transfer = fixture.transferThroughTunnel()) {
            assertThat(addressByProxy(PORT)).isEmpty();

            String on = "CULVERT_SOCKS=true\nCULVERT_SOCKS_ALLOW=192.0.2.0/26\n";
            fixture.lab.node().file("settings.env", on);
            awaitProxy(culvert);
            assertThat(addressByProxy(PORT)).contains(fixture.provider(Family.IPV4));

            fixture.lab
                    .node()
                    .file(
                            "settings.env",
                            on + "CULVERT_SOCKS_PORT=" + OTHER_PORT
                                    + "\nCULVERT_SOCKS_USER=anna\nCULVERT_SOCKS_PASSWORD=sesame\n");
            awaitProxy(culvert);
            assertThat(addressByProxy(PORT)).as("the earlier port").isEmpty();
            assertThat(addressByProxy(OTHER_PORT)).as("without the login").isEmpty();
            assertThat(addressByProxy(OTHER_PORT, "--proxy-user", "anna:sesame"))
                    .contains(fixture.provider(Family.IPV4));
            assertThat(culvert.output()).doesNotContain("sesame");

            fixture.lab.node().file("settings.env", "");
            assertThat(reload().status()).isZero();
            assertThat(addressByProxy(OTHER_PORT, "--proxy-user", "anna:sesame"))
                    .isEmpty();
            assertThat(fixture.status().children()).doesNotContainKey("dante");
            transfer.awaitMore();
            transfer.finish();
        }
        assertNoLeakButToProxyClients();
    }

    @Test
    void a_changed_sockd_conf_is_used_and_a_broken_one_keeps_the_proxy_as_it_is() {
        sockd(PORT, "wg0");
        RunningProgram culvert = connect(ExitNodeFixture.withoutMesh(Map.of(
                "CULVERT_SOCKS",
                "true",
                "CULVERT_SOCKS_ALLOW",
                "192.0.2.0/26",
                "CULVERT_SOCKS_CONFIG",
                fixture.lab.node().run().resolveSibling("sockd.conf").toString())));
        assertThat(addressByProxy(PORT)).contains(fixture.provider(Family.IPV4));
        String proxy = fixture.status().children().get("dante");

        // Sessions would leave by the uplink.
        sockd(OTHER_PORT, "eth0");
        culvert.awaitLine("sockd.conf:2:", ExitNodeFixture.TIMEOUT);

        CommandResult refused = reload();
        assertThat(refused.status()).as(refused.toString()).isEqualTo(2);
        assertThat(refused.toString()).contains("sockd.conf:2", "stays in use");
        assertThat(fixture.status().configuration().errors())
                .singleElement()
                .asString()
                .contains("sockd.conf:2");
        assertThat(fixture.status().children()).containsEntry("dante", proxy);
        assertThat(addressByProxy(PORT)).contains(fixture.provider(Family.IPV4));

        culvert.ignoreEarlierOutput();
        sockd(OTHER_PORT, "wg0");
        awaitProxy(culvert);
        assertThat(fixture.status().configuration().errors()).isEmpty();
        assertThat(addressByProxy(PORT)).isEmpty();
        assertThat(addressByProxy(OTHER_PORT)).contains(fixture.provider(Family.IPV4));
        assertNoLeakButToProxyClients();
    }

    private void sockd(int port, String external) {
        fixture.lab.node().file("sockd.conf", """
                internal: 0.0.0.0 port = %d
                external: %s
                logoutput: stderr
                socksmethod: none
                clientmethod: none
                client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
                socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
                """.formatted(port, external));
    }

    @Test
    void a_changed_network_file_changes_the_mesh_while_its_clients_and_the_tunnel_stay_connected() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        WireGuardClient phone = fixture.lab.client();
        String key = fixture.lab.node().file("exit.key", phone.nodeKey() + "\n");
        String file = phone.networkFile(key).replace("a: [], b: []", "a: [{type: peer, rule: is, value: exit}], b: []");
        RunningProgram culvert = connect(fixture.settings(Map.of(
                "CULVERT_MESH_CONFIG", fixture.lab.node().file("network.yaml", file), "CULVERT_MESH_NODE", "exit")));
        phone.useExitNode();
        assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        String handshake = latestHandshake();
        try (TcpTransfer transfer = fixture.transferThroughTunnel()) {
            String added = file.replace("connections:", """
                      - name: tablet
                        external: true
                        via: exit
                        publicKey: xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                        subnets: {home: {ipAddresses: [10.77.0.3, 'fd00:77::3']}}
                    connections:""");
            fixture.lab.node().file("network.yaml", added);
            culvert.awaitLine("configuration: reloaded", ExitNodeFixture.TIMEOUT);
            assertThat(reload().out()).contains("unchanged");
            assertThat(peers()).contains("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=");
            assertThat(latestHandshake()).as("the phone's session").isEqualTo(handshake);
            assertThat(fixture.phone.whoami(Family.IPV6)).contains(fixture.provider(Family.IPV6));

            fixture.lab
                    .node()
                    .file("network.yaml", added.replace("ipAddresses: [10.77.0.3", "ipAddresses: [10.77.0.2"));
            culvert.awaitLine("network.yaml:", ExitNodeFixture.TIMEOUT);
            assertThat(reload().status()).isEqualTo(2);
            assertThat(fixture.status().configuration().errors()).isNotEmpty();
            assertThat(peers()).contains("10.77.0.3");
            assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));

            fixture.lab.node().file("network.yaml", file);
            assertThat(reload().status()).isZero();
            assertThat(fixture.status().configuration().errors()).isEmpty();
            assertThat(peers()).doesNotContain("10.77.0.3");
            assertThat(latestHandshake()).as("the phone's session").isEqualTo(handshake);
            transfer.awaitMore();
            transfer.finish();
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    private String peers() {
        return fixture.lab.node().attempt("wg", "show", "mesh0", "allowed-ips").outputOrFail();
    }

    private String latestHandshake() {
        return fixture.lab
                .node()
                .attempt("wg", "show", "mesh0", "latest-handshakes")
                .outputOrFail()
                .lines()
                .filter(line -> !line.endsWith("\t0"))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void a_changed_file_of_the_mesh_changes_its_interface_and_another_kind_of_mesh_is_refused() {
        WireGuardClient phone = fixture.lab.client();
        RunningProgram culvert = connect(fixture.settings(Map.of()));
        phone.useExitNode();
        assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));

        fixture.lab.node().file("mesh.conf", phone.nodeConfig() + """

                        [Peer]
                        PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                        AllowedIPs = 10.77.0.3/32
                        """);
        culvert.awaitLine("configuration: reloaded", ExitNodeFixture.TIMEOUT);
        assertThat(reload().status()).isZero();
        assertThat(peers()).contains("10.77.0.3/32");
        assertThat(fixture.phone.whoami(Family.IPV6)).contains(fixture.provider(Family.IPV6));

        fixture.lab.node().file("settings.env", "CULVERT_MTU=1300\nCULVERT_MARK=0x52000000\n");
        CommandResult refused = reload();
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.toString()).contains("CULVERT_MARK: cannot be changed while the exit node runs");
        assertThat(fixture.status().configuration().errors())
                .singleElement()
                .asString()
                .contains("CULVERT_MARK");
        assertThat(fixture.namespace().run("ip", "link", "show", "wg0")).doesNotContain("mtu 1300");
        assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        assertThat(fixture.observer.leaks()).isEmpty();
    }
}
