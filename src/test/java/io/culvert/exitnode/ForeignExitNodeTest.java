package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.TailscaleClient;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Another device of the tailnet is an exit node, and somebody lets the node leave by it. */
@Tag("tailnet")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ForeignExitNodeTest {

    private final Tailnet tailnet = Tailnet.usual();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    /** A node that offers no exit may use one, as far as Tailscale is concerned. */
    private Child start() {
        TailscaleClient phone = tailnet.lab.phone();
        for (String forwarding : new String[] {"net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"}) {
            tailnet.lab.client().space().run("sysctl", "-qw", forwarding);
        }
        phone.tailscale().run("set", "--advertise-exit-node");
        Child culvert = tailnet.world.start(
                tailnet.settings(Map.of("TS_EXTRA_ARGS", extraArguments() + " --advertise-exit-node=false")));
        culvert.awaitLine("^ready", World.SOON);
        culvert.awaitLine("mesh: .*does not offer an exit node, as configured", World.SOON);
        tailnet.tailscale().awaitExitNode("phone");
        return culvert;
    }

    private String extraArguments() {
        return tailnet.settings(Map.of()).getOrDefault("TS_EXTRA_ARGS", "");
    }

    private void nothingLeavesByThePhone() {
        for (Family family : Family.values()) {
            assertThat(tailnet.node.whoami(family)).isNotEqualTo(phone(family));
            assertThat(tailnet.node.echo(family)).isNotEqualTo(phone(family));
        }
        assertThat(tailnet.observer.leaks()).isEmpty();
    }

    private static Optional<String> phone(Family family) {
        return Optional.of(family == Family.IPV4 ? Lab.CLIENT_4 : Lab.CLIENT_6);
    }

    private void asleep(Child culvert, Runnable story) {
        culvert.signal("STOP");
        try {
            story.run();
        } finally {
            culvert.signal("CONT");
        }
    }

    @Test
    void each_layer_holds_alone_and_the_exit_node_is_cleared() {
        Child culvert = start();
        asleep(culvert, () -> {
            tailnet.tailscale().run("set", "--exit-node=phone");
            assertThat(tailnet.world.space().run("ip", "route", "show", "table", "52"))
                    .contains("default dev tailscale0");
            tailnet.world.localTrafficGoesByTheProvider(Family.values());

            for (String family : new String[] {"-4", "-6"}) {
                tailnet.world
                        .space()
                        .run(
                                "ip",
                                family,
                                "rule",
                                "add",
                                "pref",
                                "10",
                                "not",
                                "fwmark",
                                "0x80000/0xff0000",
                                "lookup",
                                "52");
            }
            nothingLeavesByThePhone();
            assertThat(tailnet.node.whoami(Family.IPV4)).isEmpty();

            tailnet.world.space().run("nft", "delete", "table", "inet", "culvert");
            assertThat(tailnet.node.whoami(Family.IPV4))
                    .as("what nobody guards leaves by the phone")
                    .isEqualTo(phone(Family.IPV4));
            culvert.fromNow();
        });
        culvert.awaitLine("mesh: exit node .* cleared", World.SOON);
        tailnet.tailscale().awaitPrefs("\"ExitNodeID\": \"\"");
        for (String family : new String[] {"-4", "-6"}) {
            tailnet.world.space().run("ip", family, "rule", "delete", "pref", "10");
        }
        culvert.awaitLine("both layers are in effect again", World.SOON);
        tailnet.world.localTrafficGoesByTheProvider(Family.values());
        assertThat(tailnet.world.status().healthy()).isTrue();
    }

    @Test
    void mesh_peers_are_reached_and_no_reply_to_them_goes_to_the_provider_without_the_mesh() {
        Child culvert = start();
        World.serve(tailnet.lab.client().space(), 8000);
        String phone = tailnet.lab.phone().tailscale().address(Family.IPV4);
        assertThat(World.ask(tailnet.world.space(), phone, 8000)).isEqualTo(tailnet.address(Family.IPV4));

        asleep(culvert, () -> {
            tailnet.world.space().run("ip", "route", "flush", "table", "52");
            assertThat(tailnet.world
                            .space()
                            .attempt("ip", "route", "get", phone)
                            .err())
                    .contains("No route to host");
        });
    }
}
