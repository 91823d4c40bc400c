// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.MeshLab;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.TcpTransfer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two machines with a tunnel, a network that both can be connected to, and a download that must not be interrupted. */
@NamespaceTest
class EndpointSelectorTest {

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

    private String publicEndpoint(TwoMachines.Side side) {
        return MeshLab.public4(side.number()) + ":" + PORT;
    }

    @Test
    void transfers_continue_when_a_network_is_plugged_and_unplugged() throws Exception {
        a.startSelection(b);
        try (TcpTransfer download = TcpTransfer.start(b.namespace(), a.namespace(), a.tunnelAddresses(), 7000);
                TcpTransfer upload = TcpTransfer.start(a.namespace(), b.namespace(), b.tunnelAddresses(), 7001)) {
            for (int round = 0; round < 3; round++) {
                lab.plug(1);
                lab.plug(0);
                a.awaitLog("endpoint changed to " + lan(b));
                download.awaitMore();
                upload.awaitMore();
                assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.lan4(1));
                assertThat(b.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.lan4(0));

                lab.unplug(0);
                a.awaitLog("endpoint changed to " + publicEndpoint(b));
                download.awaitMore();
                upload.awaitMore();
                assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.public4(1));
                lab.unplug(1);
            }
            upload.finish();
            download.finish();
        }
        assertThat(a.log()).isEmpty();
    }

    @Test
    void another_host_at_the_peers_address_causes_one_failed_probe_and_no_loss() throws Exception {
        a.startSelection(b);
        try (TcpTransfer download = TcpTransfer.start(b.namespace(), a.namespace(), a.tunnelAddresses(), 7000)) {
            lab.plug(lab.node(2), MeshLab.lan4(1), "other");
            lab.plug(0);
            a.awaitLog("no response from " + lan(b));
            download.awaitMore();
            download.awaitMore();
            download.awaitMore();
            download.finish();
        }
        assertThat(a.log()).isEmpty();
        assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.public4(1));
        assertThat(a.statuses())
                .allSatisfy(status -> assertThat(status.changes()).isZero());
    }

    @Test
    void when_the_peer_is_unplugged_another_endpoint_is_found() throws Exception {
        lab.plug(1);
        lab.plug(0);
        a.startSelection(b);
        try (TcpTransfer upload = TcpTransfer.start(a.namespace(), b.namespace(), b.tunnelAddresses(), 7000)) {
            a.awaitLog("endpoint changed to " + lan(b));
            // The link stays up, but the peer is disconnected at the other end.
            lab.lan().ip("link set port1 down");
            a.awaitLog("endpoint changed to " + publicEndpoint(b));
            upload.awaitMore();
            upload.finish();
        }
        assertThat(a.endpoint().getAddress().getHostAddress()).isEqualTo(MeshLab.public4(1));
    }

    @Test
    void two_peers_that_select_endpoints_at_once_settle_on_one() throws Exception {
        a.startSelection(b);
        b.startSelection(a);
        try (TcpTransfer download = TcpTransfer.start(b.namespace(), a.namespace(), a.tunnelAddresses(), 7000)) {
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
        assertThat(a.log().size() + b.log().size()).as(a.log() + " " + b.log()).isBetween(1, 2);
    }
}
