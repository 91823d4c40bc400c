// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.TailnetTest;
import io.culvert.net.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** DNS in a tailnet: queries of an exit-node client and of the node's own programs. */
@TailnetTest
class TailscaleDnsTest {

    /** The resolver address of tailscaled; with an exit node, it forwards queries to that of the exit node. */
    private static final String MAGIC_DNS = "100.100.100.100";

    private final TailnetFixture tailnet = TailnetFixture.defaultSettings();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    private static String dig(LabNamespace from, String... arguments) {
        List<String> command = new ArrayList<>(List.of("dig", "+short", "+tries=1", "+time=5"));
        command.addAll(List.of(arguments));
        return from.attempt(command.toArray(String[]::new)).out().strip();
    }

    /** The container engine's resolver may be on the local network or far away, and Tailscale may have resolv.conf or not. */
    @ParameterizedTest
    @CsvSource({
        Lab.ROUTER_IPV4 + ", false",
        Lab.RESOLVER_IPV4 + ", false",
        Lab.ROUTER_IPV4 + ", true",
        Lab.RESOLVER_IPV4 + ", true"
    })
    void DNS_queries_of_exit_node_clients_leave_through_the_tunnel_only(String resolver, boolean acceptDns) {
        tailnet.lab.node().resolvConf("nameserver " + resolver + "\n");
        assertThat(tailnet.observer.sees(() -> tailnet.node.resolve(resolver, "before.example", Family.IPV4)))
                .isTrue();
        tailnet.connect(Map.of("TS_ACCEPT_DNS", String.valueOf(acceptDns)));
        tailnet.selectExitNodeOnPhone();
        tailnet.observer.reset();

        int number = 0;
        for (String queriedResolver : List.of(MAGIC_DNS, Lab.RESOLVER_IPV4, Lab.RESOLVER_IPV6)) {
            for (String transport : List.of("+notcp", "+tcp", "+notcp", "+tcp")) {
                String name = "n" + ++number + ".example";
                assertThat(dig(tailnet.lab.client().namespace(), transport, "@" + queriedResolver, name, "A"))
                        .as("the phone asks " + queriedResolver + " " + transport)
                        .isEqualTo(Lab.SERVER_IPV4);
                tailnet.assertQueriedThroughTunnelOnly(name);
            }
        }
        for (String transport : List.of("+notcp", "+tcp")) {
            String name = "n" + ++number + ".example";
            // With the box's own resolv.conf.
            assertThat(tailnet.lab
                            .node()
                            .attempt("dig", "+short", "+tries=1", "+time=5", transport, name, "AAAA")
                            .out()
                            .strip())
                    .isEqualTo(Lab.SERVER_IPV6);
            tailnet.assertQueriedThroughTunnelOnly(name);
        }
        assertThat(tailnet.observer.leaks()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void local_programs_can_resolve_tailnet_names(String acceptDns) {
        String original = tailnet.lab.node().resolvConf();
        var culvert = tailnet.connect(Map.of("TS_ACCEPT_DNS", acceptDns));
        String phone = tailnet.lab.phone().tailscale().address(Family.IPV4);
        tailnet.tailscale().awaitPeer("phone");
        tailnet.observer.reset();

        for (String name : List.of("phone.tailnet.example", "phone")) {
            for (String transport : List.of("+notcp", "+tcp")) {
                assertThat(onNode("dig", "+search", "+short", "+tries=1", "+time=5", transport, name, "A"))
                        .isEqualTo(phone);
            }
            assertThat(onNode("getent", "ahostsv4", name)).startsWith(phone);
        }
        assertThat(onNode("dig", "+short", "+tries=1", "+time=5", "elsewhere.example", "A"))
                .isEqualTo(Lab.SERVER_IPV4);
        assertThat(tailnet.lab.internet().queries())
                .noneMatch(query -> query.name().startsWith("phone."));
        assertThat(tailnet.observer.leaks()).isEmpty();

        culvert.signal("TERM");
        assertThat(culvert.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
        assertThat(tailnet.lab.node().resolvConf()).isEqualTo(original);
    }

    private String onNode(String... command) {
        return tailnet.lab.node().attempt(command).out().strip();
    }

    @Test
    void only_the_control_server_s_name_is_queried_outside_the_tunnel() {
        tailnet.connect(Map.of());
        assertThat(tailnet.queriesFor("headscale.example"))
                .isNotEmpty()
                .allSatisfy(query -> assertThat(query.sourceAddress()).isIn(Lab.NODE_IPV4, Lab.NODE_IPV6));
        assertThat(onNode("dig", "+short", "+tries=1", "+time=5", "sub.headscale.example.org.example", "A"))
                .isEqualTo(Lab.SERVER_IPV4);
        tailnet.assertQueriedThroughTunnelOnly("sub.headscale.example.org.example");
    }
}
