package io.culvert.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.MeshLab;
import io.culvert.lab.Transfer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two machines with a tunnel, a network that both can be connected to, and a download that must not be interrupted. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class MigrationTest {

    private static final int PORT = TwoMachines.PORT;

    private final TwoMachines two = new TwoMachines();
    private final MeshLab lab = two.lab();
    private final TwoMachines.Side a = two.a();
    private final TwoMachines.Side b = two.b();

    @AfterEach
    void close_lab() {
        two.close();
    }

    private String lan(TwoMachines.Side side) {
        return MeshLab.lan4(side.number()) + ":" + PORT;
    }

    private String outer(TwoMachines.Side side) {
        return MeshLab.public4(side.number()) + ":" + PORT;
    }

    @Test
    void a_network_that_appears_is_used_and_one_that_goes_is_left_and_no_byte_is_lost() throws Exception {
        a.migrate(b);
        try (Transfer download = Transfer.begin(b.space(), a.space(), a.inner(), 7000);
                Transfer upload = Transfer.begin(a.space(), b.space(), b.inner(), 7001)) {
            for (int round = 0; round < 3; round++) {
                lab.plug(1);
                lab.plug(0);
                a.awaitNews("endpoint changed to " + lan(b));
                download.awaitMore();
                upload.awaitMore();
                assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.lan4(1));
                assertThat(b.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.lan4(0));

                lab.unplug(0);
                a.awaitNews("endpoint changed to " + outer(b));
                download.awaitMore();
                upload.awaitMore();
                assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.public4(1));
                lab.unplug(1);
            }
            upload.finish();
            download.finish();
        }
        assertThat(a.news()).isEmpty();
    }

    @Test
    void somebody_else_at_the_peers_address_costs_one_visit_and_nothing_is_lost() throws Exception {
        a.migrate(b);
        try (Transfer download = Transfer.begin(b.space(), a.space(), a.inner(), 7000)) {
            lab.plug(lab.node(2), MeshLab.lan4(1), "liar");
            lab.plug(0);
            a.awaitNews("no response from " + lan(b));
            download.awaitMore();
            download.awaitMore();
            download.awaitMore();
            download.finish();
        }
        assertThat(a.news()).isEmpty();
        assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.public4(1));
        assertThat(a.standings())
                .allSatisfy(standing -> assertThat(standing.moves()).isZero());
    }

    @Test
    void when_the_peer_is_unplugged_what_is_sent_finds_it_elsewhere() throws Exception {
        lab.plug(1);
        lab.plug(0);
        a.migrate(b);
        try (Transfer upload = Transfer.begin(a.space(), b.space(), b.inner(), 7000)) {
            a.awaitNews("endpoint changed to " + lan(b));
            // The link stays up, but the peer is disconnected at the other end.
            lab.lan().ip("link set port1 down");
            a.awaitNews("endpoint changed to " + outer(b));
            upload.awaitMore();
            upload.finish();
        }
        assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.public4(1));
    }

    @Test
    void both_at_once_move_once_and_come_to_rest() throws Exception {
        a.migrate(b);
        b.migrate(a);
        try (Transfer download = Transfer.begin(b.space(), a.space(), a.inner(), 7000)) {
            lab.plug(1);
            lab.plug(0);
            while (!a.endpoint().getAddress().getHostAddress().equals(MeshLab.lan4(1))
                    || !b.endpoint().getAddress().getHostAddress().equals(MeshLab.lan4(0))) {
                download.awaitMore();
            }
            for (int i = 0; i < 10; i++) {
                download.awaitMore();
            }
            download.finish();
        }
        assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.lan4(1));
        assertThat(b.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.lan4(0));
        assertThat(a.news().size() + b.news().size())
                .as(a.news() + " " + b.news())
                .isBetween(1, 2);
    }
}
