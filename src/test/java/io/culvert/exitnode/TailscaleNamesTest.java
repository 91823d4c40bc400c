package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Lab;
import io.culvert.lab.Namespace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names in a tailnet: what a phone asks that exits here, and what the node's own programs ask. */
@Tag("tailnet")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TailscaleNamesTest {

    /** Where every device asks its own tailscaled, which asks the exit node's on behalf of a phone that exits. */
    private static final String MAGIC_DNS = "100.100.100.100";

    private final Tailnet tailnet = Tailnet.usual();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    private static String dig(Namespace from, String... arguments) {
        List<String> command = new ArrayList<>(List.of("dig", "+short", "+tries=1", "+time=5"));
        command.addAll(List.of(arguments));
        return from.attempt(command.toArray(String[]::new)).out().strip();
    }

    /** The container engine's resolver may be on the local network or far away, and Tailscale may have resolv.conf or not. */
    @ParameterizedTest
    @CsvSource({Lab.ROUTER_4 + ", false", Lab.RESOLVER_4 + ", false", Lab.ROUTER_4 + ", true", Lab.RESOLVER_4 + ", true"
    })
    void whatever_a_phone_that_exits_here_asks_is_asked_by_the_provider_only(String resolver, boolean acceptDns) {
        tailnet.lab.node().resolvConf("nameserver " + resolver + "\n");
        assertThat(tailnet.observer.sees(() -> tailnet.node.resolve(resolver, "before.example", Family.IPV4)))
                .isTrue();
        tailnet.connect(Map.of("TS_ACCEPT_DNS", String.valueOf(acceptDns)));
        tailnet.phoneExits();
        tailnet.observer.forget();

        int number = 0;
        for (String asked : List.of(MAGIC_DNS, Lab.RESOLVER_4, Lab.RESOLVER_6)) {
            for (String transport : List.of("+notcp", "+tcp", "+notcp", "+tcp")) {
                String name = "n" + ++number + ".example";
                assertThat(dig(tailnet.lab.client().space(), transport, "@" + asked, name, "A"))
                        .as("the phone asks " + asked + " " + transport)
                        .isEqualTo(Lab.SERVER_4);
                tailnet.askedByTheProviderOnly(name);
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
                    .isEqualTo(Lab.SERVER_6);
            tailnet.askedByTheProviderOnly(name);
        }
        assertThat(tailnet.observer.leaks()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void the_node_s_programs_know_the_tailnet_s_names(String acceptDns) {
        String original = tailnet.lab.node().resolvConf();
        var culvert = tailnet.connect(Map.of("TS_ACCEPT_DNS", acceptDns));
        String phone = tailnet.lab.phone().tailscale().address(Family.IPV4);
        tailnet.tailscale().awaitPeer("phone");
        tailnet.observer.forget();

        for (String name : List.of("phone.tailnet.example", "phone")) {
            for (String transport : List.of("+notcp", "+tcp")) {
                assertThat(onNode("dig", "+search", "+short", "+tries=1", "+time=5", transport, name, "A"))
                        .isEqualTo(phone);
            }
            assertThat(onNode("getent", "ahostsv4", name)).startsWith(phone);
        }
        assertThat(onNode("dig", "+short", "+tries=1", "+time=5", "elsewhere.example", "A"))
                .isEqualTo(Lab.SERVER_4);
        assertThat(tailnet.lab.internet().questions())
                .noneMatch(question -> question.name().startsWith("phone."));
        assertThat(tailnet.observer.leaks()).isEmpty();

        culvert.signal("TERM");
        assertThat(culvert.awaitExit(World.SOON)).isZero();
        assertThat(tailnet.lab.node().resolvConf()).isEqualTo(original);
    }

    private String onNode(String... command) {
        return tailnet.lab.node().attempt(command).out().strip();
    }

    @Test
    void the_control_server_s_name_is_asked_by_the_node_itself_and_nobody_else_s() {
        tailnet.connect(Map.of());
        assertThat(tailnet.asked("headscale.example"))
                .isNotEmpty()
                .allSatisfy(question -> assertThat(question.asker()).isIn(Lab.NODE_4, Lab.NODE_6));
        assertThat(onNode("dig", "+short", "+tries=1", "+time=5", "sub.headscale.example.org.example", "A"))
                .isEqualTo(Lab.SERVER_4);
        tailnet.askedByTheProviderOnly("sub.headscale.example.org.example");
    }
}
