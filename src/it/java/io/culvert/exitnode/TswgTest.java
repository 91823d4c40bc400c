// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Headscale;
import io.culvert.lab.Lab;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.TailnetTest;
import io.culvert.lab.TailscaleClient;
import io.culvert.net.Family;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Users of tswg (stratself/tswg on GitHub) only have to change the name of the image. */
@TailnetTest
class TswgTest {

    private static final String NODE = "test-exit-node";

    private final TailnetFixture tailnet = TailnetFixture.defaultSettings();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    /** Returns the environment of its compose file, and what the lab needs in addition: a key for an automatic login. */
    private Map<String, String> published(Map<String, String> more) {
        Map<String, String> settings =
                tailnet.lab.headscale().settings(NODE, tailnet.lab.headscale().key());
        settings.put("TS_ACCEPT_DNS", "true");
        settings.put("TS_EXTRA_ARGS", "--login-server=" + Headscale.URL + " --advertise-exit-node");
        settings.put("TS_STATE_DIR", "/var/lib/tailscale");
        settings.putAll(more);
        return settings;
    }

    /**
     * A file like its example, without DNS=. A public resolver is then queried through the tunnel, in whose
     * place the lab's answers.
     */
    private String example() {
        tailnet.lab.provider().namespace().nft("""
                table inet public_resolver {
                  chain names {
                    type nat hook prerouting priority dstnat;
                    ip daddr 9.9.9.9 meta l4proto { tcp, udp } th dport 53 dnat ip to %s
                  }
                }
                """.formatted(Lab.RESOLVER_IPV4));
        return tailnet.lab
                .node()
                .file(
                        "example.wg0.conf",
                        tailnet.lab
                                .provider()
                                .file()
                                .replaceAll("(?m)^DNS.*", "# DNS = [REDACTED]")
                                .replace("PersistentKeepalive = 25", "PersistentKeepalive = 10"));
    }

    private TailscaleClient selectExitNodeOnPhone() {
        TailscaleClient phone = tailnet.lab.phone().useExitNode(NODE);
        phone.tailscale().awaitDirect(NODE);
        return phone;
    }

    @Test
    void tswg_s_published_compose_service_works_unchanged() {
        tailnet.fixture.namespace().run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/src_valid_mark");
        RunningProgram culvert = TailnetFixture.awaitExitNode(tailnet.fixture.start(published(
                Map.of("WG_CONFIG", example(), "HOLEPUNCH_ENDPOINTS", Headscale.ADDRESS_IPV4 + ":" + Headscale.PORT))));
        TailscaleClient phone = selectExitNodeOnPhone();

        tailnet.assertPhoneUsesTunnel(Family.values());
        tailnet.fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(tailnet.phone.resolve("100.100.100.100", "by-the-exit.example", Family.IPV4))
                .containsExactly(Lab.SERVER_IPV4);
        assertThat(tailnet.lab.node().attempt("getent", "ahostsv4", "phone").out())
                .startsWith(phone.tailscale().address(Family.IPV4));
        assertThat(tailnet.observer.leaks()).isEmpty();
        assertThat(culvert.output()).doesNotContain("error:");
    }

    @Test
    void tswg_s_variables_and_proxy_file_work_unchanged() {
        String sockd = tailnet.lab.node().file("sockd.conf", """
                logoutput: stdout
                internal.protocol: ipv4 ipv6
                internal: tailscale0 port=TSWG_DANTE_PORT
                external.protocol: ipv4 ipv6
                external: TSWG_DANTE_EXTERNAL
                socksmethod: none
                clientmethod: none
                client pass {
                    from: 0/0 to: 0/0
                    log: error
                }
                socks pass {
                  from: 0/0 to: 0/0
                  command: connect udpassociate udpreply
                  log: error
                  proxyprotocol: socks_v5
                }
                """);
        Map<String, String> settings = new HashMap<>(Map.of(
                "TSWG_WGCONF",
                tailnet.lab.node().file("with-dns.conf", tailnet.lab.provider().file()),
                "TSWG_HOLEPUNCH_ENDPOINTS",
                Headscale.ADDRESS_IPV4 + ":" + Headscale.PORT,
                "TSWG_SOCKD_ENABLED",
                "true",
                "TSWG_SOCKD_PORT",
                "1081",
                "TSWG_SOCKD_TIMEIN",
                "3",
                "TSWG_SOCKD_FILE",
                sockd));
        RunningProgram culvert = TailnetFixture.awaitExitNode(tailnet.fixture.start(published(settings)));
        tailnet.lab.phone().tailscale().awaitPeer(NODE);

        for (Family proxy : Family.values()) {
            for (Family target : Family.values()) {
                assertThat(tailnet.phone.whoamiBySocks(tailnet.address(proxy), 1081, target))
                        .contains(tailnet.fixture.provider(target));
            }
        }
        assertThat(tailnet.observer.leaks()).isEmpty();
        // The file says so.
        assertThat(tailnet.laptop.whoamiBySocks(Lab.NODE_IPV4, 1081, Family.IPV4))
                .isEmpty();
        assertThat(culvert.output()).doesNotContain("error:", "unexpectedly");
    }

    /** As in its compose file, for containers in which resolv.conf is not writable. */
    @Test
    void the_container_runtime_may_configure_tailscale_s_resolver_and_the_control_server_s_address() {
        tailnet.lab
                .node()
                .resolvConf("nameserver 100.100.100.100\n")
                .host(Headscale.ADDRESS_IPV4, Headscale.NAME)
                .host(Headscale.ADDRESS_IPV6, Headscale.NAME);
        TailnetFixture.awaitExitNode(tailnet.fixture.start(published(Map.of("WG_CONFIG", example()))));
        TailscaleClient phone = selectExitNodeOnPhone();

        tailnet.assertPhoneUsesTunnel(Family.values());
        assertThat(tailnet.lab
                        .node()
                        .attempt("getent", "ahostsv4", "phone.tailnet.example")
                        .out())
                .startsWith(phone.tailscale().address(Family.IPV4));
        assertThat(tailnet.lab
                        .node()
                        .attempt("dig", "+short", "elsewhere.example")
                        .out())
                .isEqualTo(Lab.SERVER_IPV4 + "\n");
        tailnet.assertQueriedThroughTunnelOnly("elsewhere.example");
        assertThat(tailnet.observer.leaks()).isEmpty();
    }

    @Test
    void values_that_tswg_s_compose_file_leaves_open_are_requested() {
        CommandResult outcome = tailnet.fixture.run(
                published(Map.of(
                        "WG_CONFIG",
                        "/tmp/example.wg0.conf",
                        "TS_EXTRA_ARGS",
                        "--login-server=https://<HEADSCALE-DOMAIN> --advertise-exit-node",
                        "HOLEPUNCH_ENDPOINTS",
                        "HEADSCALE-IP-ADDRESS>",
                        "TSWG_SOCKD_ENABLED",
                        "true",
                        "TSWG_SOCKD_FILE",
                        "true")),
                "up");
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(outcome.err())
                .contains("WG_CONFIG", "TS_EXTRA_ARGS", "--login-server", "HOLEPUNCH_ENDPOINTS", "TSWG_SOCKD_FILE");
    }
}
