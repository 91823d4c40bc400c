// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A resolver that responds only after the start, as while a machine starts, is waited for. */
@NamespaceTest
class LateResolverTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final String WAITING = "dns: provider0.example cannot be resolved yet";

    private final TunnelLab lab = new TunnelLab(LabOptions.DEFAULTS);
    private final Provider provider = lab.lab().provider();
    private final String file =
            lab.file("wg0.conf", provider.file("provider0.example:" + Provider.PORT, "0.0.0.0/0, ::/0"));

    /** Why there is no response. */
    enum Cause {
        /** Nothing comes back. */
        SILENT("drop"),
        /** The resolver's machine is up, its program is not. */
        NOT_LISTENING("reject"),
        /** This machine's own network is not up, so there is no route. */
        NO_NETWORK("");

        private final String verdict;

        Cause(String verdict) {
            this.verdict = verdict;
        }
    }

    @AfterEach
    void closeLab() {
        lab.close();
    }

    private void begin(Cause cause) {
        if (cause == Cause.NO_NETWORK) {
            lab.ip("link", "set", "eth0", "down");
        } else {
            lab.lab().router().nft("""
                    table inet late {
                      chain both {
                        type filter hook forward priority 0;
                        udp dport 53 %s
                      }
                    }
                    """.formatted(cause.verdict));
        }
    }

    private void end(Cause cause) {
        if (cause == Cause.NO_NETWORK) {
            lab.ip("link", "set", "eth0", "up");
            lab.ip("route", "add", "default", "via", Lab.ROUTER_IPV4);
        } else {
            lab.lab().router().nft("delete table inet late");
        }
    }

    @ParameterizedTest
    @EnumSource
    void tunnel_up_waits_for_the_resolver_and_changes_nothing_meanwhile(Cause cause) {
        begin(cause);
        RunningProgram up = lab.node().start(Map.of(), "tunnel", "up", file, "--kill-switch");
        up.awaitLine(WAITING, TIMEOUT);

        assertThat(lab.ip("-o", "link")).doesNotContain("wg0");

        end(cause);
        up.awaitLine("wg0 is up", TIMEOUT);

        assertThat(up.awaitExit(TIMEOUT)).isZero();
        assertThat(Probe.from(lab.lab().node().namespace()).whoami(Family.IPV4)).contains(provider.publicIpv4());
    }

    @Test
    void an_interrupted_wait_leaves_nothing_behind() {
        String before = lab.footprint();
        begin(Cause.NOT_LISTENING);
        RunningProgram up = lab.node().start(Map.of(), "tunnel", "up", file, "--kill-switch");
        up.awaitLine(WAITING, TIMEOUT);

        up.signal("INT");

        assertThat(up.awaitExit(TIMEOUT)).isEqualTo(130);
        assertThat(lab.footprint()).isEqualTo(before);
    }

    @Test
    void what_is_wrong_already_is_reported_before_the_wait() {
        begin(Cause.NOT_LISTENING);
        String marked = lab.file(
                "wg0.conf",
                provider.file("provider0.example:" + Provider.PORT, "0.0.0.0/0, ::/0")
                        .replace("[Interface]", "[Interface]\nFwMark = 51820"));

        RunningProgram up = lab.node().start(Map.of(), "tunnel", "up", marked, "--kill-switch");

        assertThat(up.awaitExit(TIMEOUT)).isEqualTo(2);
        assertThat(up.output()).contains("0xca6c");
    }

    @Test
    void mesh_up_waits_for_the_names_of_endpoint_candidates() {
        begin(Cause.NOT_LISTENING);
        SecretKey own = KeyGenerator.generatePrivate();
        String network = lab.file("network.yaml", """
                version: v1
                subnets: [{name: home, endpoints: [{port: 51820}]}]
                connections: [{a: [], b: []}]
                peers:
                  - {name: here, privateKeyFile: here.key, publicKey: %s,
                     subnets: {home: {listenPort: 51820, ipAddresses: [10.8.0.1]}}}
                  - {name: there, privateKeyFile: there.key, publicKey: %s, endpoints: [{ip: provider0.example}],
                     subnets: {home: {listenPort: 51820, ipAddresses: [10.8.0.2]}}}
                """.formatted(
                        KeyGenerator.publicOf(own), KeyGenerator.publicOf(KeyGenerator.generatePrivate())));
        lab.file("here.key", own.base64() + "\n");
        RunningProgram up = lab.node().start(Map.of(), "mesh", "up", "--file", network, "here");
        up.awaitLine(WAITING, TIMEOUT);

        end(Cause.NOT_LISTENING);
        up.awaitLine("mesh: here is up", TIMEOUT);

        assertThat(up.awaitExit(TIMEOUT)).isZero();
        assertThat(lab.node().run(Map.of(), "mesh", "status", "here").outputOrFail())
                .contains(provider.publicIpv4());
    }
}
