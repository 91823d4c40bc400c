// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.TailnetTest;
import io.culvert.lab.TcpTransfer;
import io.culvert.net.Family;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Changes of Tailscale's settings while the exit node runs. */
@TailnetTest
class TailscaleReloadTest {

    private final TailnetFixture tailnet = TailnetFixture.defaultSettings();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    private String write(String settings) {
        return tailnet.lab.node().file("settings.env", settings);
    }

    private CommandResult reload() {
        return tailnet.fixture.run(Map.of(), "reload");
    }

    @Test
    void tailscale_is_restarted_with_changed_settings_as_the_same_node_while_the_tunnel_stays() {
        Map<String, String> settings = tailnet.settings(Map.of());
        // A variable of the environment would take precedence over the file.
        String arguments = settings.remove("TS_EXTRA_ARGS");
        settings.put("CULVERT_SETTINGS", write("TS_EXTRA_ARGS=" + arguments));
        RunningProgram culvert = TailnetFixture.awaitExitNode(tailnet.fixture.start(settings));
        tailnet.selectExitNodeOnPhone();
        String id = tailnet.id();
        try (TcpTransfer transfer = TcpTransfer.start(
                tailnet.fixture.namespace(),
                tailnet.lab.provider().namespace(),
                tailnet.lab.provider().tunnelIpv4(),
                9000)) {
            culvert.ignoreEarlierOutput();

            write("TS_EXTRA_ARGS=" + arguments + " --accept-routes\nTS_ACCEPT_DNS=true\n");
            culvert.awaitLine("TS_ACCEPT_DNS: cannot be changed while the exit node runs", ExitNodeFixture.TIMEOUT);
            assertThat(reload().status()).isEqualTo(1);
            assertThat(tailnet.fixture.status().configuration().errors())
                    .singleElement()
                    .asString()
                    .contains("TS_ACCEPT_DNS");
            assertThat(culvert.output()).doesNotContain("restarting Tailscale");
            tailnet.assertPhoneUsesTunnel(Family.IPV4);

            culvert.ignoreEarlierOutput();
            write("TS_EXTRA_ARGS=" + arguments + " --accept-routes\n");
            culvert.awaitLine("mesh: restarting Tailscale, as its settings have changed", ExitNodeFixture.TIMEOUT);
            culvert.awaitLine("mesh: .*advertises exit node$", ExitNodeFixture.TIMEOUT);
            tailnet.tailscale().awaitPrefs("\"RouteAll\": true");
            assertThat(tailnet.id()).isEqualTo(id);
            assertThat(tailnet.fixture.status().configuration().errors()).isEmpty();
            tailnet.lab.phone().tailscale().awaitDirect(TailnetFixture.NODE);
            tailnet.assertPhoneUsesTunnel(Family.values());
            transfer.awaitMore();
            transfer.finish();
        }
        assertThat(tailnet.observer.leaks()).isEmpty();
    }
}
