// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.LabOptions;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.TailnetTest;
import io.culvert.lab.TailscaleCli;
import io.culvert.net.Family;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@code CULVERT_WITHDRAW_AFTER}: clients are offered the exit node only while its tunnel works. */
@TailnetTest
class ExitWithdrawalTest {

    /** A lost connection is noticed when the next handshake is overdue. */
    private static final Duration LOSS = Duration.ofMinutes(4);

    private final TailnetFixture tailnet = TailnetFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    @Test
    void the_exit_node_is_withdrawn_while_no_server_responds_and_offered_again() {
        RunningProgram culvert = tailnet.connect(Map.of("CULVERT_WITHDRAW_AFTER", "15s"));
        tailnet.selectExitNodeOnPhone();
        tailnet.assertPhoneUsesTunnel(Family.values());
        culvert.ignoreEarlierOutput();
        tailnet.lab.provider().blockTraffic();

        culvert.awaitLine("mesh: exit node withdrawn, as the tunnel has not been connected for 15 s", LOSS);
        culvert.awaitLine("mesh: .*advertises exit node once the tunnel is connected$", ExitNodeFixture.TIMEOUT);
        TailscaleCli phone = tailnet.lab.phone().tailscale();
        phone.await(
                "no exit node",
                _ -> phone.peer(TailnetFixture.NODE)
                        .filter(peer -> peer.getBoolean("ExitNodeOption"))
                        .isEmpty());
        tailnet.assertPhoneBlocked(Family.values());
        culvert.ignoreEarlierOutput();

        tailnet.lab.provider().unblockTraffic();
        culvert.awaitLine("mesh: .*advertises exit node$", LOSS);
        phone.awaitExitNode(TailnetFixture.NODE);

        assertThat(tailnet.observer.leaks()).isEmpty();
    }
}
