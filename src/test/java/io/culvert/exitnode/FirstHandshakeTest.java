package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Packet;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A server by its name: the first handshake is tried when it can be made, and not before, whatever is sent meanwhile.
 */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class FirstHandshakeTest {

    private static final String INITIATIONS = "handshake initiations";

    private final World world = World.of(Shape.USUAL);

    @BeforeEach
    void nameTheServer() {
        world.lab
                .node()
                .wireGuardFile(
                        "provider.conf",
                        world.lab.provider().file("provider0.example:" + Provider.PORT, "0.0.0.0/0, ::/0"));
        world.observer
                .allow("our questions for names", packet -> packet.destinationPort() == 53)
                .allow(
                        INITIATIONS,
                        packet -> isToTheServer(packet)
                                && packet.isWireGuard()
                                && packet.payload().charAt(0) == 1);
    }

    /** By the address that was found first: a question that went unanswered makes it the one of the other family. */
    private boolean isToTheServer(Packet packet) {
        return packet.isUdpTo(world.lab.provider().outer4(), Provider.PORT)
                || packet.isUdpTo(world.lab.provider().outer6(), Provider.PORT);
    }

    @AfterEach
    void closeLab() {
        world.close();
    }

    private Child start() {
        return world.start(World.alone(Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace")));
    }

    /**
     * What could not be sent is said by the userspace program, and sent again only {@code REKEY_TIMEOUT} (5 s) later.
     */
    private void firstTryIsAnswered(Child culvert) {
        culvert.awaitLine("tunnel: connected to", World.SOON);
        assertThat(culvert.output()).doesNotContain("no known endpoint", "Failed to send handshake");
        assertThat(world.observer.count(INITIATIONS)).isEqualTo(1);
    }

    @Test
    void no_try_fails_before_the_name_is_known() {
        for (int start = 0; start < 3; start++) {
            try (Child culvert = start()) {
                firstTryIsAnswered(culvert);
                culvert.signal("TERM");
                culvert.awaitExit(World.SOON);
                world.observer.forget();
            }
        }
    }

    @Test
    void what_is_sent_while_the_name_does_not_resolve_is_not_a_try() {
        world.lab.router().nft("""
                table inet mute {
                  chain in { type filter hook prerouting priority -300; th dport 53 drop; }
                }
                """);
        Child culvert = start();
        culvert.awaitLine("provider0.example does not resolve", World.SOON);
        assertThat(world.lab.node().attempt("wg", "show", "wg0", "allowed-ips").out())
                .contains("(none)");
        world.localTrafficIsClosed(Family.values());

        world.lab.router().nft("delete table inet mute");
        culvert.awaitLine("dns: provider0.example resolved", World.SOON);

        firstTryIsAnswered(culvert);
        world.localTrafficGoesByTheProvider(Family.values());
    }
}
