// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.LeakMatrix;
import io.culvert.lab.LeakState;
import io.culvert.lab.TailnetTest;
import io.culvert.net.Family;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The leak matrix of a node of a tailnet, with an exit-node client of it; {@link LeakMatrixTest} has the other clients and states. */
@TailnetTest
class TailscaleLeakMatrixTest {

    private static final String ADVERTISED = "mesh: .*advertises exit node$";

    private final LeakMatrix matrix = new LeakMatrix(LeakMatrix.TAILNET_ORIGINS);

    @Test
    void no_packet_leaves_outside_the_tunnel_in_any_state() {
        System.out.print(LeakMatrix.header(LeakMatrix.TAILNET_ORIGINS));
        TailnetFixture tailnet = TailnetFixture.defaultSettings();
        Map<String, String> settings = tailnet.settings(Map.of());
        LeakMatrixRun run = new LeakMatrixRun(tailnet.fixture, () -> tailnet.fixture.start(settings), matrix);
        try (tailnet;
                run) {
            TailnetFixture.awaitExitNode(run.start());
            tailnet.selectExitNodeOnPhone();
            run.connected(LeakState.CONNECTED, Family.values());
            run.frozenStates();
            run.change(LeakState.TUNNEL_PROGRAM_KILLED, () -> run.kill(LeakMatrixRun.CONNECTED, "wireguard-go", "wg0"));
            run.change(LeakState.MESH_PROGRAM_KILLED, () -> run.kill(ADVERTISED, "tailscaled", "--statedir"));
            run.interrupt(LeakState.CULVERT_KILLED, () -> run.culvert().kill());
            run.change(LeakState.RESTARTED, () -> TailnetFixture.awaitExitNode(run.start()));
            run.interrupt(LeakState.STOPPING, run::stop);
            run.measure(LeakState.STOPPED);
        }
        System.out.printf("%d cells%n", matrix.size());
        assertThat(run.failures()).isEmpty();
        matrix.publish("matrix-tailscale");
    }
}
